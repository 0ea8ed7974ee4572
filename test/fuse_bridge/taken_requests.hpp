#pragma once
#include <linux/fuse.h>
#include <poll.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <vector>

namespace firstlight {

/// Takes the next request out of the kernel's hand, as a process does that dies before it answers.
inline std::vector<char> take_message(int device) {
  pollfd readable{device, POLLIN, 0};
  REQUIRE(poll(&readable, 1, 30'000) == 1);
  std::vector<char> message(2U << 20U);
  const auto bytes = read(device, message.data(), message.size());
  REQUIRE(bytes >= static_cast<ssize_t>(sizeof(fuse_in_header)));
  message.resize(static_cast<std::size_t>(bytes));
  return message;
}
inline fuse_in_header header_of(const std::vector<char>& message) {
  fuse_in_header header{};
  std::memcpy(&header, message.data(), sizeof header);
  return header;
}
inline fuse_in_header take_request(int device) {
  return header_of(take_message(device));
}

}  // namespace firstlight
