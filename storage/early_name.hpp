#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "model/digest.hpp"
#include "storage/content_name.hpp"

namespace firstlight {

/// What a content is called in the metadata of a mounted image before its id has arrived: its number in the
/// table of contents, as a name that is as long as a content_name and shares no character with one but the
/// slash. Once the ids are known every such name is overwritten by the real one, under the kernel's eyes:
/// what is read meanwhile may be a mixture of both, from which the content can still be told.
struct early_content {
  std::uint32_t toc_mark = 0;  ///< `mark_of` its TOC
  std::uint32_t content = 0;
  friend bool operator==(const early_content&, const early_content&) = default;
};

/// 30 bits of a TOC's id.
[[nodiscard]] std::uint32_t mark_of(const toc_id& id);

/// `@@/` and 62 letters from g to v, four bits each: mark and number, repeated.
[[nodiscard]] std::array<char, content_name::bytes> early_name(const early_content& content);

/// A folder of two characters and a file of 62, as they are looked up.
struct looked_up_name {
  std::string_view folder;
  std::string_view file;

  /// Whether each character belongs to one of both kinds of names.
  [[nodiscard]] bool valid() const;
  /// What a name says that is early in all its parts, or in enough of them.
  [[nodiscard]] std::optional<early_content> early() const;
  /// The id that a real name says; nothing if a character of it is missing.
  [[nodiscard]] std::optional<content_id> id() const;
  /// Whether all that is real in it agrees with the id, and that is enough to tell it from others.
  [[nodiscard]] bool could_be(const content_id& id) const;
};

}  // namespace firstlight
