#pragma once
#include "actors/node/image_receiver.hpp"

/// The parts of a receiver: what they share, and what each does. Internal to actors/node/.
namespace firstlight::detail {

/// What every step needs; cheap to copy into continuations.
struct receiver_shell {
  image_receiver::stateful_pointer<receiver_state> self;
  std::shared_ptr<const receive_request> request;
  std::shared_ptr<const receiver_tools> tools;

  [[nodiscard]] receiver_state& state() const { return self->state; }
  [[nodiscard]] receiver_report& report() const { return self->state.report; }
  [[nodiscard]] std::chrono::steady_clock::time_point now() const { return self->clock().now(); }
};

[[nodiscard]] inline bool over(const receiver_shell& my) {
  return my.report().phase == delivery_phase::complete || my.report().phase == delivery_phase::failed;
}

template <class Message>
void tell_instances(const receiver_shell& my, const Message& message) {
  for (const auto& address : my.state().instances)
    if (auto listening = caf::actor_cast<caf::actor>(address)) caf::anon_send(listening, message);
}

// ---- deliveries that rest (receiver_rest.cpp) --------------------------------------------------

/// Tells the root that the delivery rests, if it does from now on: to be called whenever something of it
/// ends.
void rest_if_idle(const receiver_shell& my);

/// Runs `then`: of a delivery that rests once the root lets it write again, and never if it is to end.
void wake(const receiver_shell& my, std::function<void()> then);

/// As `run_on`, for what may write to the stores: a delivery does not rest before `then` has run.
template <class Blocking, class Then>
void run_step(const receiver_shell& my, const worker& on, Blocking blocking, Then then) {
  ++my.state().steps;
  run_on(on, my.self, std::move(blocking), [my, then = std::move(then)](auto&& outcome) mutable {
    --my.state().steps;
    then(std::forward<decltype(outcome)>(outcome));
    rest_if_idle(my);
  });
}

// ---- the delivery as a whole (image_receiver.cpp) ----------------------------------------------

/// Ends the delivery, unless it is over, and tells everybody who waits.
void fail_delivery(const receiver_shell& my, const error& why);

/// Completes the delivery once as much has been stored as its pull brings.
void conclude_by_count(const receiver_shell& my);

// ---- what arrives (receiver_parts.cpp) ---------------------------------------------------------

/// Makes what is stored durable, beside the delivery.
void checkpoint(const receiver_shell& my);

/// Verifies and stores a segment, or keeps it until the contents of its image are known.
void take_segment(const receiver_shell& my, const incoming_segment& incoming,
                  caf::typed_response_promise<verdict> reply);

/// Verifies and keeps a part of the TOC.
void take_toc(const receiver_shell& my, const toc_frame& frame, caf::typed_response_promise<verdict> reply);

/// This is the image that arrives. It can be mounted from now on.
void adopt(const receiver_shell& my, mountable_image image);

/// If the contents of the image are known: from now on segments can be read.
void use_contents(const receiver_shell& my);

}  // namespace firstlight::detail
