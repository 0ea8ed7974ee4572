#pragma once
#include <limits>
#include <span>

#include "model/trace_selection.hpp"

namespace firstlight {

/// How much room there is for traces.
struct trace_room {
  std::uint32_t count_max = std::numeric_limits<std::uint32_t>::max();
  std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max();
  std::uint32_t per_node_max = std::numeric_limits<std::uint32_t>::max();
};

/// Which traces go so that the others have room. They go from the node that has the most of what is scarce,
/// its first received first: a node that sends many loses its own before those of others. Pure; the order of
/// `stamps` does not matter.
[[nodiscard]] std::vector<trace_id> evicted_traces(std::span<const trace_stamp> stamps,
                                                   const trace_room& room);

}  // namespace firstlight
