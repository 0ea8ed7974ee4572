#pragma once
#include <deque>
#include <set>

#include "actors/interfaces.hpp"
#include "config/trace_limits.hpp"
#include "schemas/admin.hpp"
#include "schemas/peer_codec.hpp"
#include "storage/trace_store.hpp"

namespace firstlight {

/// HUB PEER: exchanges traces with one other hub, both ways. It always has a question open there, which is
/// answered when traces have come; those that this hub lacks it fetches, and what comes here it sends, at
/// once. Ids tell what is known, so loops of hubs and repeats do no harm, and a hub that was away catches up.
using hub_peer = caf::typed_actor<caf::reacts_to<trace_added>, caf::reacts_to<order_learned>,
                                  caf::replies_to<caf::get_atom>::with<admin_peer>,
                                  // Its own clock.
                                  caf::reacts_to<caf::tick_atom>>;

struct peer_parts {
  std::string address;
  hub_link link;
  trace_aggregator aggregator;
  const trace_store& traces;
  std::chrono::milliseconds interval{500};  ///< after a failure, and between questions to who does not wait
  std::uint32_t known_max = 1U << 20U;      ///< ids of traces that the other hub may list
  std::uint32_t unsent_max = 65'536;        ///< ids of traces to be sent; more are found once those are sent
  std::chrono::milliseconds wait{10'000};   ///< the other hub may answer so much later when it has no news
  std::uint32_t calls_max = 16;             ///< traces on their way each way, at least 1
  trace_store::clock now = trace_store::system_now;
};

/// Traces that go one way.
struct peer_lane {
  std::deque<trace_id> queue;
  std::set<trace_id> under_way;
  bool pauses = false;  ///< something has failed: nothing is begun until the next tick
};

struct peer_state {
  static inline const char* name = "hub-peer";
  peer_state() = default;
  admin_peer status;
  std::uint64_t epoch = 0;     ///< of the other hub's process
  std::uint64_t position = 0;  ///< up to which its ids are known
  bool listed = false;         ///< all ids of that process are known
  std::set<trace_id> theirs;   ///< what the other hub has
  peer_lane fetched;
  peer_lane sent;
  std::uint64_t returns = 0;  ///< of the store, as of the latest look
  bool left_out = false;      ///< not all that is to be sent is in the queue
  bool asking = false;        ///< a question for ids is open
  instant asked_at;           ///< the latest of them
  bool asks_later = false;    ///< not before the next tick
  bool in_touch = false;      ///< the latest question for ids was answered
  bool ticking = false;
};

/// Spawn it detached: it reads traces from the disk.
hub_peer::behavior_type make_hub_peer(hub_peer::stateful_pointer<peer_state> self, peer_parts parts);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::admin_peer)
