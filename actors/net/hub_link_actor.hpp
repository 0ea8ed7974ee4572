#pragma once
#include <memory>

#include "actors/interfaces.hpp"

namespace firstlight {

class kj_loop;
class node_engine;

// What the transport tells the hub link. Not for others.

/// The connection has changed.
struct link_news {
  link_changed change;
};
struct status_answer {
  std::uint64_t id = 0;
  link_status status;
};
struct remote_toc {
  std::uint64_t id = 0;
  incoming_toc what;
};
struct remote_segment {
  std::uint64_t id = 0;
  incoming_segment what;
};
struct pull_answer {
  std::uint64_t id = 0;
  result<pull_started> outcome;
};
/// Which call a node makes with bytes that the transport does not look into.
enum class opaque_call : std::uint8_t { trace, ask };
struct call_answer {
  std::uint64_t id = 0;
  result<shared_bytes> outcome;
};
/// A wait for the link has lasted long enough.
struct join_expired {
  std::uint64_t id = 0;
};

/// HUB LINK with the side that the transport talks to.
using hub_link_shell =
    hub_link::extend<caf::reacts_to<link_news>, caf::reacts_to<remote_toc>, caf::reacts_to<remote_segment>,
                     caf::reacts_to<incoming_landmark>, caf::reacts_to<incoming_progress>,
                     caf::reacts_to<pull_answer>, caf::reacts_to<status_answer>, caf::reacts_to<call_answer>,
                     caf::reacts_to<join_expired>>;

/// Spawns it; `engine` is locked on the loop's thread only, and evicted when the actor ends.
hub_link_shell spawn_hub_link_shell(caf::actor_system& system, kj_loop& loop,
                                    std::weak_ptr<node_engine> engine,
                                    std::chrono::milliseconds join_timeout);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::link_news)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::remote_toc)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::remote_segment)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::pull_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::status_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::call_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::join_expired)
