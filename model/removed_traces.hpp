#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace firstlight {

/// What is remembered of a removed trace, so that it does not come back.
struct trace_removal {
  std::string key;  ///< sorts by when that was
  bool may_return =
      false;  ///< it had no room, and comes again once its image is here; else it is gone for good
};

/// Which removals are forgotten, by their keys: all that sort before `long_ago`, and of the others those that
/// are more than `count_max`. Of these, the ones go first whose traces may return anyway: what a user has
/// removed must not come back because another hub has many traces of images that are not here. Of either kind
/// the oldest goes first. Pure; the order of `all` does not matter.
[[nodiscard]] std::vector<std::string> forgotten_removals(std::vector<trace_removal> all,
                                                          std::string_view long_ago, std::size_t count_max);

}  // namespace firstlight
