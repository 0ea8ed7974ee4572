#pragma once
#include "actors/access_recorder.hpp"
#include "actors/interfaces.hpp"
#include "actors/node/make_trace.hpp"

namespace firstlight {

struct tracer_parts {
  std::shared_ptr<access_recorder> recorder;
  recorded_instance instance;
  trace_collector collector;
  std::chrono::milliseconds check_interval{500};
  std::uint64_t trace_bytes_max = 3U << 20U;
};

/// Starts a TRACER. On an exit message the trace is made at once.
tracer::behavior_type make_tracer(tracer::pointer self, const tracer_parts& parts);

}  // namespace firstlight
