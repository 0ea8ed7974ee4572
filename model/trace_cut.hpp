#pragma once
#include "model/trace.hpp"

namespace firstlight {

/// Leaves the latest accesses of a trace out, until it takes at most about `bytes_max` bytes as
/// schemas/trace.capnp has it: what a start reads first teaches most. A file whose blocks are all left out
/// goes with them. The trace is sorted before and after. Pure.
void cut_trace(trace& recorded, std::uint64_t bytes_max);

}  // namespace firstlight
