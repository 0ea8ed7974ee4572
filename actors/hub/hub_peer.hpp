#pragma once
#include <deque>
#include <set>

#include "actors/interfaces.hpp"
#include "config/trace_limits.hpp"
#include "schemas/admin.hpp"
#include "schemas/peer_codec.hpp"
#include "storage/trace_store.hpp"

namespace firstlight {

/// HUB PEER: exchanges traces with one other hub, both ways: asks which have come there, fetches what this
/// hub lacks, and sends what that one lacks. Ids tell what is known, so loops of hubs and repeats do no harm,
/// and a hub that was away catches up.
using hub_peer = caf::typed_actor<caf::reacts_to<trace_added>, caf::reacts_to<order_learned>,
                                  caf::replies_to<caf::get_atom>::with<admin_peer>,
                                  // Its own clock.
                                  caf::reacts_to<caf::tick_atom>>;

struct peer_parts {
  std::string address;
  hub_link link;
  trace_aggregator aggregator;
  const trace_store& traces;
  std::chrono::milliseconds interval{500};
  std::uint32_t known_max = 1U << 20U;  ///< ids of traces that the other hub may list
  std::uint32_t unsent_max = 65'536;    ///< ids of traces to be sent; with more all are compared again
};

struct peer_state {
  static inline const char* name = "hub-peer";
  peer_state() = default;
  admin_peer status;
  std::uint64_t epoch = 0;     ///< of the other hub's process
  std::uint64_t position = 0;  ///< up to which its ids are known
  bool listed = false;         ///< all ids of that process are known
  std::set<trace_id> theirs;   ///< what the other hub has
  std::deque<trace_id> to_fetch;
  std::deque<trace_id> to_send;
  bool sends = false;  ///< which direction had the last turn
  bool busy = false;   ///< a call is under way
  bool ticking = false;
};

/// Spawn it detached: it reads traces from the disk.
hub_peer::behavior_type make_hub_peer(hub_peer::stateful_pointer<peer_state> self, peer_parts parts);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::admin_peer)
