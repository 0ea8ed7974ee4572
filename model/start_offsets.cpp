#include "model/start_offsets.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

namespace firstlight {
namespace {

using offsets = std::map<toc_id, std::vector<std::chrono::milliseconds>>;

/// Images that were started together once, each with its first start.
struct round {
  const grouped_start* first = nullptr;
  lost_times lost{{}};                                 ///< by the first
  std::map<toc_id, std::chrono::nanoseconds> reads{};  ///< from when on, since the first was started

  [[nodiscard]] bool takes(const grouped_start& one, std::chrono::nanoseconds apart_max) const {
    return first != nullptr && std::tie(first->group, first->node) == std::tie(one.group, one.node) &&
           !reads.contains(one.image) && one.started - first->started <= apart_max;
  }
  void add(const grouped_start& one) {
    reads.emplace(one.image, lost.without(one.started - first->started) + one.first_access);
  }
  void note_into(offsets& all) const {
    if (reads.size() < 2) return;
    auto begin = std::chrono::nanoseconds::max();
    for (const auto& [image, from] : reads) begin = std::min(begin, from);
    for (const auto& [image, from] : reads)
      all[image].push_back(std::chrono::duration_cast<std::chrono::milliseconds>(from - begin));
  }
};

bool comes_before(const grouped_start* a, const grouped_start* b) {
  const auto place = [](const grouped_start& one) {
    return std::tie(one.group, one.node, one.started, one.image, one.first_access, one.waits);
  };
  return place(*a) < place(*b);
}

}  // namespace

std::map<toc_id, std::chrono::milliseconds> start_offsets(std::span<const grouped_start> starts,
                                                          const start_offset_limits& limits) {
  std::vector<const grouped_start*> sorted;
  for (const auto& one : starts)
    if (one.group != default_trace_group) sorted.push_back(&one);
  std::sort(sorted.begin(), sorted.end(), comes_before);
  offsets all;
  round current;
  for (const auto* one : sorted) {
    if (!current.takes(*one, limits.apart_max)) {
      current.note_into(all);
      current = {one, lost_times(one->waits)};
    }
    current.add(*one);
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
