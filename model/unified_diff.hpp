#pragma once
#include <string>
#include <string_view>

namespace firstlight {

struct diff_names {
  std::string before;  ///< as the lines "---" and "+++" name them
  std::string after;
};

/// A shortest difference of two texts by lines, as `diff -u` writes it and `patch` reads it, with three lines
/// of context. Empty if they are equal. Time and memory grow with the size and with the square of the number
/// of lines that differ. Pure.
[[nodiscard]] std::string unified_diff(std::string_view before, std::string_view after,
                                       const diff_names& names);

}  // namespace firstlight
