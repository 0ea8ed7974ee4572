#pragma once
#include <map>
#include <set>

#include "actors/interfaces.hpp"
#include "actors/worker.hpp"
#include "schemas/peer_codec.hpp"
#include "storage/learn_image.hpp"

namespace firstlight {

/// What the aggregator works with. The stores and options outlive it.
struct aggregator_tools {
  image_catalogue& catalogue;
  trace_store& traces;
  const learning_options& options;
  worker_pool workers;                            ///< learn; they write and read the disk
  std::function<std::chrono::nanoseconds()> now;  ///< since the epoch
  std::uint64_t epoch = 0;                        ///< another number for each process
  const std::atomic<bool>* stop = nullptr;        ///< what is being learned ends
  const content_store* contents = nullptr;        ///< as learn_tools has it
};

/// Another hub's question, until there is news for it.
struct waiting_peer {
  ids_question asked;
  caf::typed_response_promise<peer_answer> reply;
};

struct aggregator_state {
  static inline const char* name = "trace-aggregator";
  aggregator_state() = default;
  aggregator_status status;
  std::vector<caf::actor> listeners;
  std::uint64_t epoch = 0;      ///< of `known`, for peers: another one when ids have gone from it
  std::vector<trace_id> known;  ///< in the order in which they came, those of earlier processes first
  std::map<std::uint64_t, waiting_peer> waiting;
  std::uint64_t next_waiting = 1;
  std::set<toc_id> changed;       ///< to be learned from at the next tick
  std::set<toc_id> looked_after;  ///< since the last tick: they came, or their traces changed
  std::set<toc_id> learning;      ///< on a worker now
  std::set<toc_id> leading;       ///< learned; images that may take their traces are still to be found
  std::set<toc_id> following;     ///< those, still to be learned
  std::set<trace_id> unfit;       ///< kept ones that count as refused: they do not fit their images
  bool searching = false;         ///< for such images, on a worker
  std::chrono::nanoseconds forgotten_at{0};  ///< when it was last looked for old removals
  bool ticking = false;
};

/// Spawn it detached: it writes traces to the disk.
trace_aggregator::behavior_type make_trace_aggregator(
    trace_aggregator::stateful_pointer<aggregator_state> self, aggregator_tools tools);

}  // namespace firstlight
