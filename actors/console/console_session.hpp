#pragma once
#include <functional>

#include "actors/interfaces.hpp"

namespace firstlight {

/// What a client hears of its requests: any number of times progress, then one answer, for each in turn.
/// Called by actors, on any thread, in order: passes it on and returns at once.
struct console_sink {
  std::function<void(const shared_bytes&)> progress;
  std::function<void(const result<shared_bytes>&)> answer;
};

struct console_session_state {
  static inline const char* name = "console-session";
};

/// Whoever holds the client's connection ends it with an exit message. A request that runs then loses its
/// progress listener, by which a service sees that nobody waits for the answer; the sink hears no more of it
/// than may be on its way.
console_session::behavior_type make_console_session(
    console_session::stateful_pointer<console_session_state> self, const admin_service& service,
    const console_sink& sink);

}  // namespace firstlight
