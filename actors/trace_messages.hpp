#pragma once
#include <caf/allowed_unsafe_message_type.hpp>
#include <memory>
#include <string>

#include "model/bytes.hpp"
#include "model/trace.hpp"
#include "schemas/image_record.hpp"

/// Messages about traces: from the mounts of a node to its hub, and from there to all who plan.
namespace firstlight {

/// What one start has read, to be kept and sent.
struct start_recorded {
  trace what;
};

/// What a start has read by now. More of it follows, under the same id.
struct start_goes_on {
  trace what;
};

/// The recording of a mount ends now, settled or not.
struct finish_recording {};

/// A trace on its way to a hub.
struct trace_report {
  shared_bytes encoded;  ///< schemas/trace_codec.hpp
  std::string node;      ///< who sent it, as its certificate says; filled in by the hub
};
/// Whether a hub that answers with this error will never take the trace.
[[nodiscard]] constexpr bool refused_for_good(errc why) {
  return why == errc::corrupt || why == errc::invalid_argument || why == errc::limit_exceeded;
}

/// It is on the hub's disk, or was before.
struct trace_kept {};

/// What one hub asks another (schemas/peer_codec.hpp), and what that answers.
struct peer_question {
  shared_bytes encoded;
};
struct peer_answer {
  shared_bytes encoded;
};

/// The aggregator's own clock: another hub that waits for news is answered without any.
struct peer_wait_over {
  std::uint64_t which = 0;
};

/// A trace has come to this hub for the first time.
struct trace_added {
  trace_id id;
};

/// How a node's traces come along.
struct collector_status {
  std::uint32_t unsent = 0;
  std::uint64_t sent = 0;     ///< of this process
  std::uint64_t refused = 0;  ///< by the hub, for good
  std::string last_error;
  /// By starts that are being recorded: what would be sent of them if the node died now.
  std::uint32_t files_recorded = 0;
};

/// An image is delivered in another order from now on.
struct order_learned {
  toc_id toc;
  std::shared_ptr<const stored_order> order;
};

/// The traces of this image have changed, or it is new: learn from them.
struct learn_again {
  toc_id toc;
};

struct aggregator_status {
  std::uint64_t received = 0;  ///< new ones, of this process
  std::uint64_t repeated = 0;
  std::uint64_t refused = 0;
  std::vector<std::string> refusals;  ///< why, the latest first
  std::uint64_t learned = 0;          ///< orders that are new, of this process
};

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::start_recorded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::start_goes_on)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::finish_recording)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::trace_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::trace_kept)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::peer_question)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::peer_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::peer_wait_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::trace_added)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::collector_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::order_learned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::learn_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::aggregator_status)
