#pragma once
#include <map>
#include <span>

#include "model/trace.hpp"

namespace firstlight {

/// How many traces of one image count, and how much.
struct trace_selection_limits {
  std::uint32_t traces_max = 64;              ///< of one image; older ones do not count
  std::uint32_t traces_per_node_and_day = 8;  ///< further ones that came on that day do not count
  std::uint32_t half_weight_after = 8;        ///< a trace with so many ahead of it counts half
};

/// What selecting, keeping and listing need to know of a trace. A node chooses when its starts began, so days
/// are those of the hub that received them.
struct trace_stamp {
  trace_id id;
  std::string node;
  std::chrono::nanoseconds started{0};   ///< since the epoch
  std::chrono::nanoseconds received{0};  ///< by the first hub, since the epoch
  std::uint64_t bytes = 0;               ///< as stored
  std::string reference{};               ///< as it was mounted
  std::string group{};                   ///< as the trace says
  friend bool operator==(const trace_stamp&, const trace_stamp&) = default;
};

/// Of a trace that takes `bytes`. One without a time of receipt counts as received when it began.
[[nodiscard]] trace_stamp stamp_of(const trace& recorded, std::uint64_t bytes);

/// Which traces of one image count, with their weights. The newest days come first; within a day nodes take
/// turns, each with its latest start that is left, and those of one turn weigh the same: of a node that sends
/// many no trace weighs more than another node's of the same turn. Imported traces are not held to the share
/// of a node. Pure; the order of `stamps` does not matter, repeats count once.
[[nodiscard]] std::map<trace_id, double> select_traces(std::span<const trace_stamp> stamps,
                                                       const trace_selection_limits& limits = {});

}  // namespace firstlight
