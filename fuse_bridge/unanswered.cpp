#include "fuse_bridge/unanswered.hpp"

#include <linux/fuse.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace firstlight {
namespace {

constexpr std::uint64_t interrupt_bit = 1;  // of the number of an interrupt, else that of what it interrupts

thread_local bytes_view in_hand;

fuse_in_header header_of(bytes_view message) {
  fuse_in_header header{};
  std::memcpy(&header, message.data(), std::min(message.size(), sizeof header));
  return header;
}

}  // namespace

void append_unanswered(std::vector<std::byte>& messages, bytes_view message) {
  messages.insert(messages.end(), message.begin(), message.end());
}

void append_interrupt(std::vector<std::byte>& messages, bytes_view message) {
  const fuse_interrupt_in interrupted{header_of(message).unique};
  fuse_in_header header{};
  header.len = sizeof header + sizeof interrupted;
  header.opcode = FUSE_INTERRUPT;
  header.unique = interrupted.unique | interrupt_bit;
  append_unanswered(messages, std::as_bytes(std::span(&header, 1)));
  append_unanswered(messages, std::as_bytes(std::span(&interrupted, 1)));
}

result<std::vector<bytes_view>> split_messages(bytes_view messages) {
  std::vector<bytes_view> all;
  while (!messages.empty()) {
    const auto bytes = header_of(messages).len;
    if (bytes < sizeof(fuse_in_header) || bytes > messages.size())
      return fail(errc::corrupt, "what the kernel had asked an earlier process is cut off");
    all.push_back(messages.first(bytes));
    messages = messages.subspan(bytes);
  }
  return all;
}

bytes_view message_in_hand() {
  return in_hand;
}
void take_in_hand(bytes_view message) {
  in_hand = message;
}

}  // namespace firstlight
