#pragma once
#include <caf/all.hpp>
#include <functional>

namespace firstlight {

/// What is done when an actor that a daemon cannot do without has failed; the text says why.
using on_failure = std::function<void(const std::string&)>;

/// Logs it and aborts the process: whoever waits for an answer of that actor would wait for ever, and the
/// service manager starts the daemon anew, which goes on with what the dead one had.
void abort_daemon(const std::string& why);

/// Calls `then` on the thread of the actor when it ends otherwise than by a wish for its end: by an exception
/// in its code. Invalid handles are passed over. Any thread.
void watch_vital(const caf::actor& which, on_failure then);

/// The daemon ends with any of these.
template <class... Handles>
void abort_without(const Handles&... handles) {
  const auto watch = [](const auto& handle) {
    if (handle) watch_vital(caf::actor_cast<caf::actor>(handle), abort_daemon);
  };
  (watch(handles), ...);
}

}  // namespace firstlight
