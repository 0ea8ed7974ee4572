#include "model/removed_traces.hpp"

#include <algorithm>
#include <tuple>

namespace firstlight {

std::vector<std::string> forgotten_removals(std::vector<trace_removal> all, std::string_view long_ago,
                                            std::size_t count_max) {
  const auto young =
      std::partition(all.begin(), all.end(), [&](const trace_removal& one) { return one.key < long_ago; });
  std::sort(young, all.end(), [](const trace_removal& a, const trace_removal& b) {
    return std::tie(b.may_return, a.key) < std::tie(a.may_return, b.key);
  });
  const auto left = static_cast<std::size_t>(all.end() - young);
  const auto behind = young + static_cast<std::ptrdiff_t>(left - std::min(left, count_max));
  std::vector<std::string> forgotten;
  for (auto one = all.begin(); one != behind; ++one) forgotten.push_back(std::move(one->key));
  return forgotten;
}

}  // namespace firstlight
