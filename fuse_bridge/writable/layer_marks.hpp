#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "model/overlay_names.hpp"

namespace firstlight {

/// What an attribute of the mount is called in the layer: one that looks like a mark is escaped.
[[nodiscard]] inline std::string stored_xattr_name(std::string_view name) {
  if (!is_overlay_mark(name)) return std::string(name);
  return std::string(escaped_mark_prefix).append(overlay_mark_suffix(name));
}

/// The reverse; nothing for a mark.
[[nodiscard]] inline std::optional<std::string> shown_xattr_name(std::string_view stored) {
  if (!is_overlay_mark(stored)) return std::string(stored);
  if (!stored.starts_with(escaped_mark_prefix)) return std::nullopt;
  return std::string(overlay_mark_prefix).append(stored.substr(escaped_mark_prefix.size()));
}

}  // namespace firstlight
