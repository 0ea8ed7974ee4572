#include "actors/console/console_session.hpp"

#include "actors/errors.hpp"

namespace firstlight {
namespace {

struct console_call_state {
  static inline const char* name = "console-call";
};

// One request. A service takes the end of the listener for the end of this request, and may tell it progress
// until then: so it is an actor of its own, and it asks itself, so that the answer comes after the progress.
progress_listener::behavior_type make_call(progress_listener::stateful_pointer<console_call_state> self,
                                           const admin_service& service, const console_request& request,
                                           const console_sink& sink) {
  const auto finish = [self, answer = sink.answer](const result<shared_bytes>& outcome) {
    answer(outcome);
    self->quit();
  };
  // No time limit: a pull takes what it takes; the client can go away.
  self->request(service, caf::infinite, admin_message{request.bytes},
                caf::actor_cast<progress_listener>(self))
      .then([finish](const admin_message& reply) { finish(reply.bytes); },
            [finish](const caf::error& failure) { finish(tl::unexpected(from_caf(failure))); });
  return {[progress = sink.progress](const admin_message& what) { progress(what.bytes); }};
}

}  // namespace

console_session::behavior_type make_console_session(
    console_session::stateful_pointer<console_session_state> self, const admin_service& service,
    const console_sink& sink) {
  // Linked: a call ends with its session. The session survives a call that has ended in the normal way.
  return {
      [=](const console_request& request) { self->spawn<caf::linked>(make_call, service, request, sink); }};
}

}  // namespace firstlight
