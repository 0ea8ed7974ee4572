#include "model/lost_times.hpp"

#include <algorithm>

namespace firstlight {

using time = std::chrono::nanoseconds;

lost_times::lost_times(const std::vector<waited_span>& waits) {
  std::vector<waited_span> sorted;
  for (const auto& one : waits)
    if (one.wait.count() > 0) sorted.push_back(one);
  std::sort(sorted.begin(), sorted.end(),
            [](const waited_span& a, const waited_span& b) { return a.from < b.from; });
  time sum{0};
  for (const auto& one : sorted) {
    if (lost_.empty() || one.from > lost_.back().until) lost_.push_back({one.from, one.from, sum});
    auto& last = lost_.back();
    sum += std::max(last.until, one.from + one.wait) - last.until;
    last.until = std::max(last.until, one.from + one.wait);
    last.sum = sum;
  }
}

time lost_times::without(time when) const {
  const auto next = std::upper_bound(lost_.begin(), lost_.end(), when,
                                     [](time at, const lost& one) { return at < one.from; });
  if (next == lost_.begin()) return when;
  const auto& last = *std::prev(next);
  return when - (last.sum - (last.until - std::min(when, last.until)));
}

}  // namespace firstlight
