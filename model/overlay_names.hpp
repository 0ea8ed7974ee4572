#pragma once
#include <string_view>

namespace firstlight {

// Overlayfs keeps its marks in extended attributes `trusted.overlay.X` of the layers below it. An attribute
// of that name in an image is data: it is stored as `trusted.overlay.overlay.X`, which overlayfs takes for no
// mark of its own and, from Linux 6.7 on, shows as `trusted.overlay.X` again.

inline constexpr std::string_view overlay_mark_prefix = "trusted.overlay.";
inline constexpr std::string_view escaped_mark_prefix = "trusted.overlay.overlay.";

/// Whether overlayfs would take an attribute of this name for one of its own.
constexpr bool is_overlay_mark(std::string_view name) {
  return name.starts_with(overlay_mark_prefix);
}

/// The X of `trusted.overlay.X`; behind `escaped_mark_prefix` it is the escaped name.
/// Precondition: `is_overlay_mark(name)`.
constexpr std::string_view overlay_mark_suffix(std::string_view name) {
  return name.substr(overlay_mark_prefix.size());
}

}  // namespace firstlight
