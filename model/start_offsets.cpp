#include "model/start_offsets.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

namespace firstlight {
namespace {

using offsets = std::map<toc_id, std::vector<std::chrono::milliseconds>>;

/// Images that were started together once, each with its first start.
struct round {
  std::map<toc_id, std::chrono::nanoseconds> starts;
  std::chrono::nanoseconds first{0};
  lost_times lost{{}};  ///< by the first

  void note_into(offsets& all) const {
    if (starts.size() < 2) return;
    for (const auto& [image, started] : starts)
      all[image].push_back(
          std::chrono::duration_cast<std::chrono::milliseconds>(lost.without(started - first)));
  }
};

}  // namespace

std::map<toc_id, std::chrono::milliseconds> start_offsets(std::span<const grouped_start> starts,
                                                          const start_offset_limits& limits) {
  std::vector<const grouped_start*> sorted;
  for (const auto& one : starts)
    if (one.group != default_trace_group) sorted.push_back(&one);
  std::sort(sorted.begin(), sorted.end(), [](const grouped_start* a, const grouped_start* b) {
    return std::tie(a->group, a->started, a->image, a->waits) <
           std::tie(b->group, b->started, b->image, b->waits);
  });
  offsets all;
  round current;
  const std::string* group = nullptr;
  for (const auto* one : sorted) {
    const bool goes_on = group != nullptr && *group == one->group && !current.starts.contains(one->image) &&
                         one->started - current.first <= limits.apart_max;
    if (!goes_on) {
      current.note_into(all);
      current = {{}, one->started, lost_times(one->waits)};
    }
    group = &one->group;
    current.starts.emplace(one->image, one->started);
  }
  current.note_into(all);

  std::map<toc_id, std::chrono::milliseconds> medians;
  for (auto& [image, times] : all) {
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    medians.emplace(image, *middle);
  }
  return medians;
}

}  // namespace firstlight
