#pragma once
#include <deque>
#include <map>

#include "actors/interfaces.hpp"
#include "storage/trace_drafts.hpp"
#include "storage/trace_store.hpp"

namespace firstlight {

struct collector_tools {
  trace_store& unsent;
  trace_drafts& drafts;  ///< of starts that are being recorded
  hub_link link;
  std::uint32_t unsent_max = 1024;
  std::chrono::milliseconds retry_interval{5'000};
  trace_store::clock now = trace_store::system_now;  ///< by which the hub knows how wrong this one is
};

struct collector_state {
  static inline const char* name = "trace-collector";
  collector_state() = default;
  collector_status status;
  std::deque<trace_id> queue;  ///< on disk and not confirmed, the oldest first
  bool sending = false;
  bool ticking = false;
  std::map<trace_id, std::size_t> drafts{};  ///< files of each that this process has written
};

/// Spawn it detached: it writes traces to the disk. Goes on with what an earlier process has not sent; what
/// that was recording ends with what there is of it.
trace_collector::behavior_type make_trace_collector(trace_collector::stateful_pointer<collector_state> self,
                                                    collector_tools tools);

/// Ends a collector once it has kept all that it was given, and drops the handle: an exit alone would
/// overtake that. Not from within an actor.
void end_collector(caf::actor_system& system, trace_collector& collector);

}  // namespace firstlight
