#pragma once
#include <vector>

#include "model/bytes.hpp"
#include "model/result.hpp"

/// What the kernel has asked a session that ends without an answer: its messages as they were read from the
/// device, one behind the other. Kernels before Linux 6.9 do not repeat them, so the next process is told by
/// this one.
namespace firstlight {

/// Appends a message. A signal may have reached who waits for its answer, which the kernel says only once:
/// then `append_interrupt` comes next, with the same message.
void append_unanswered(std::vector<std::byte>& messages, bytes_view message);
void append_interrupt(std::vector<std::byte>& messages, bytes_view message);

/// The messages one by one; valid as long as the bytes. Errors: `corrupt`.
[[nodiscard]] result<std::vector<bytes_view>> split_messages(bytes_view messages);

/// The message that this thread handles, until it takes the next one; empty on a thread of no session.
/// libfuse does not show it to those who answer.
[[nodiscard]] bytes_view message_in_hand();
void take_in_hand(bytes_view message);

}  // namespace firstlight
