#include "model/trace_selection.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace firstlight {
namespace {

struct candidate {
  std::int64_t day = 0;
  std::uint32_t turn = 0;  ///< of its node on that day
  const trace_stamp* stamp = nullptr;

  friend bool operator<(const candidate& a, const candidate& b) {
    return std::tie(b.day, a.turn, b.stamp->started, b.stamp->id) <
           std::tie(a.day, b.turn, a.stamp->started, a.stamp->id);
  }
};

/// Those within the share of their node, in the order in which they count.
std::vector<candidate> candidates_of(std::span<const trace_stamp> stamps,
                                     const trace_selection_limits& limits) {
  std::map<std::pair<std::chrono::nanoseconds, trace_id>, const trace_stamp*> by_start;
  for (const auto& stamp : stamps) by_start.emplace(std::pair(stamp.started, stamp.id), &stamp);
  std::map<std::pair<std::string_view, std::int64_t>, std::uint32_t> turns;
  std::vector<candidate> all;
  for (auto newest = by_start.rbegin(); newest != by_start.rend(); ++newest) {
    const auto& stamp = *newest->second;
    const auto day = std::chrono::floor<std::chrono::days>(stamp.received).count();
    const auto turn = turns[{stamp.node, day}]++;
    if (turn < limits.traces_per_node_and_day || stamp.node == imported_node)
      all.push_back({day, turn, &stamp});
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

trace_stamp stamp_of(const trace& recorded, std::uint64_t bytes) {
  const auto received = recorded.received.count() == 0 ? recorded.started : recorded.received;
  return {recorded.id, recorded.node, recorded.started, received, bytes, recorded.reference, recorded.group};
}

std::map<trace_id, double> select_traces(std::span<const trace_stamp> stamps,
                                         const trace_selection_limits& limits) {
  std::map<trace_id, double> selected;
  std::size_t ahead = 0;  // traces of earlier turns
  const candidate* last = nullptr;
  const auto all = candidates_of(stamps, limits);
  for (const auto& one : all) {
    if (selected.size() >= limits.traces_max) break;
    const bool same_turn = last != nullptr && std::tie(last->day, last->turn) == std::tie(one.day, one.turn);
    if (!same_turn) ahead = selected.size();
    last = &one;
    selected.emplace(one.stamp->id, std::exp2(-static_cast<double>(ahead) / limits.half_weight_after));
  }
  return selected;
}

}  // namespace firstlight
