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
