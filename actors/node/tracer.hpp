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
  std::chrono::milliseconds keep_interval{2'000};  ///< 0: nothing is kept before the end
  std::uint64_t trace_bytes_max = 3U << 20U;
};

struct tracer_state {
  static inline const char* name = "tracer";
  caf::actor_clock::time_point kept_at;  ///< when the collector was last given what there was
  std::size_t kept = 0;                  ///< access_recorder::noted then
};

/// Starts a TRACER. On an exit message the trace is made at once.
tracer::behavior_type make_tracer(tracer::stateful_pointer<tracer_state> self, const tracer_parts& parts);

}  // namespace firstlight
