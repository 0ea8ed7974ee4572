#include "fuse_bridge/unanswered.hpp"

#include <linux/fuse.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <span>

using namespace firstlight;

namespace {

std::vector<std::byte> message_of(std::uint32_t opcode, std::uint64_t number, std::size_t body_bytes) {
  fuse_in_header header{};
  header.len = static_cast<std::uint32_t>(sizeof header + body_bytes);
  header.opcode = opcode;
  header.unique = number;
  const auto bytes = std::as_bytes(std::span(&header, 1));
  std::vector<std::byte> message(bytes.begin(), bytes.end());
  message.resize(header.len, std::byte{7});
  return message;
}

}  // namespace

TEST_CASE("messages that are left come apart again, interrupts right behind what they interrupt") {
  const auto read = message_of(FUSE_READ, 40, sizeof(fuse_read_in));
  const auto other = message_of(FUSE_READ, 42, sizeof(fuse_read_in));
  std::vector<std::byte> left;
  append_unanswered(left, read);
  append_interrupt(left, read);
  append_unanswered(left, other);
  const auto messages = split_messages(left);
  REQUIRE(messages);
  REQUIRE(messages->size() == 3);
  CHECK(std::ranges::equal((*messages)[0], read));
  CHECK(std::ranges::equal((*messages)[2], other));
  struct {
    fuse_in_header header;
    fuse_interrupt_in interrupted;
  } interrupt{};
  REQUIRE((*messages)[1].size() == sizeof interrupt);
  std::memcpy(&interrupt, (*messages)[1].data(), sizeof interrupt);
  CHECK(interrupt.header.opcode == FUSE_INTERRUPT);
  CHECK(interrupt.header.unique == 41);
  CHECK(interrupt.interrupted.unique == 40);
}

TEST_CASE("messages that are cut off are refused") {
  const auto read = message_of(FUSE_READ, 40, sizeof(fuse_read_in));
  CHECK(split_messages({})->empty());
  const auto cut = GENERATE(std::size_t{1}, sizeof(fuse_in_header), sizeof(fuse_in_header) + 1);
  const auto messages = split_messages(bytes_view(read).first(cut));
  REQUIRE_FALSE(messages);
  CHECK(messages.error().code == errc::corrupt);
}
