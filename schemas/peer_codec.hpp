#pragma once
#include <variant>

#include "model/bytes.hpp"
#include "model/trace.hpp"

/// What hubs ask each other about their traces: PeerQuestion and PeerAnswer of schemas/trace.capnp.
namespace firstlight {

/// Which traces have come since an earlier answer.
struct ids_question {
  std::uint64_t epoch = 0;
  std::uint64_t position = 0;
  std::chrono::milliseconds wait{0};  ///< without news the answer may come so much later, at most 49 days
};
struct trace_question {
  trace_id id;
};
using peer_inquiry = std::variant<ids_question, trace_question>;

struct ids_answer {
  std::uint64_t epoch = 0;     ///< of the answering process
  std::uint64_t position = 0;  ///< where the next question goes on
  bool last = true;            ///< no more for now
  std::vector<trace_id> ids;
  bool waited = false;  ///< the answer was held back for news; hubs of earlier versions never do that
};
struct trace_answered {
  std::vector<std::byte> encoded;  ///< empty: it is not there any more
};
using peer_reply = std::variant<ids_answer, trace_answered>;

[[nodiscard]] std::vector<std::byte> encode_inquiry(const peer_inquiry& question);
[[nodiscard]] std::vector<std::byte> encode_reply(const peer_reply& answer);
/// Errors of both: `corrupt`.
[[nodiscard]] result<peer_inquiry> decode_inquiry(bytes_view message);
[[nodiscard]] result<peer_reply> decode_reply(bytes_view message);

}  // namespace firstlight
