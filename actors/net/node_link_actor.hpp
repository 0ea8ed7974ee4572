#pragma once
#include <memory>
#include <optional>
#include <string>

#include "actors/interfaces.hpp"
#include "actors/net/hub_link_actor.hpp"

namespace firstlight {

class kj_loop;
class joined_node;

// What the transport tells a node link. Not for others.
struct session_made {
  node_session session;
};
struct link_answer {
  std::uint64_t id = 0;
  delivered outcome;
  std::optional<error> failure;  ///< there is no outcome
};
struct remote_pull {
  std::uint64_t id = 0;
  pull_request request;
};
struct remote_call {
  std::uint64_t id = 0;
  opaque_call which = opaque_call::trace;
  shared_bytes bytes;
};
struct link_gone {
  std::string why;
};

/// NODE LINK with the side that the transport talks to. It forwards in order what the node says to the
/// session.
using node_link_shell =
    node_link::extend<caf::reacts_to<session_made>, caf::reacts_to<link_answer>, caf::reacts_to<remote_pull>,
                      caf::reacts_to<remote_call>, caf::reacts_to<incoming_progress>, caf::reacts_to<want>,
                      caf::reacts_to<part_received>, caf::reacts_to<cancel_delivery>,
                      caf::reacts_to<bulk_attached>, caf::reacts_to<link_gone>>;

/// Spawns the link of one joined node, which is locked on the loop's thread only. It ends, and ends its
/// session, on `link_gone`; when the session ends first, the node is disconnected.
node_link_shell spawn_node_link(caf::actor_system& system, kj_loop& loop, std::weak_ptr<joined_node> node);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::session_made)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::link_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::remote_pull)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::remote_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::link_gone)
