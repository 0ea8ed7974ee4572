#include "model/trace_selection.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace firstlight {

std::map<trace_id, double> select_traces(std::span<const trace_stamp> stamps,
                                         const trace_selection_limits& limits) {
  std::vector<const trace_stamp*> newest;
  for (const auto& stamp : stamps) newest.push_back(&stamp);
  std::sort(newest.begin(), newest.end(), [](const trace_stamp* a, const trace_stamp* b) {
    return std::tie(b->started, b->id) < std::tie(a->started, a->id);
  });
  std::map<trace_id, double> selected;
  std::map<std::pair<std::string, std::int64_t>, std::uint32_t> by_node_and_day;
  for (const auto* stamp : newest) {
    if (selected.size() >= limits.traces_max) break;
    if (selected.contains(stamp->id)) continue;
    const auto day = std::chrono::floor<std::chrono::days>(stamp->started).count();
    if (++by_node_and_day[{stamp->node, day}] > limits.traces_per_node_and_day) continue;
    const auto newer = static_cast<double>(selected.size());
    selected.emplace(stamp->id, std::exp2(-newer / limits.half_weight_after));
  }
  return selected;
}

}  // namespace firstlight
