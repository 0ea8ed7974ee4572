#pragma once
#include <map>
#include <span>

#include "model/trace.hpp"

namespace firstlight {

/// How many traces of one image count, and how much.
struct trace_selection_limits {
  std::uint32_t traces_max = 64;              ///< of one image; older ones do not count
  std::uint32_t traces_per_node_and_day = 8;  ///< further ones of that day do not count
  std::uint32_t half_weight_after = 8;        ///< a trace with so many newer ones counts half
};

/// What selecting needs to know of a trace.
struct trace_stamp {
  trace_id id;
  std::string node;
  std::chrono::nanoseconds started{0};  ///< since the epoch
};

/// Which traces of one image count, with their weights: the newest most, no node more often than its share.
/// Pure; the order of `stamps` does not matter, repeats count once.
[[nodiscard]] std::map<trace_id, double> select_traces(std::span<const trace_stamp> stamps,
                                                       const trace_selection_limits& limits = {});

}  // namespace firstlight
