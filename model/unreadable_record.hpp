#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace firstlight {

/// A stored record that does not decode, or that needs another one which is not there. It is left as it is.
struct unreadable_record {
  std::string name;        ///< as far as it is known
  std::string why;         ///< one line
  std::string platform{};  ///< of an image, as far as it is known
  friend bool operator==(const unreadable_record&, const unreadable_record&) = default;
};

/// One line for logs and `firstlight status`: how many of `what` cannot be read, which is the first, and
/// `advice`. Without control characters, whatever the records hold.
[[nodiscard]] std::string tell_unreadable(const std::vector<unreadable_record>& records,
                                          std::string_view what, std::string_view advice);

/// The end of such advice: `command`, which is about the first; the next look tells of those that are left.
[[nodiscard]] std::string tell_to_forget(const std::vector<unreadable_record>& records,
                                         std::string_view command);

/// The one that a user means: of this name, or of one that `tell_unreadable` shows like this. Null: there is
/// none.
[[nodiscard]] const unreadable_record* find_unreadable(const std::vector<unreadable_record>& records,
                                                       std::string_view name);

}  // namespace firstlight
