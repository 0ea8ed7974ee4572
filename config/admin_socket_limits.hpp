#pragma once
#include <chrono>
#include <cstdint>

namespace firstlight {

/// Limits of the UNIX socket between a daemon and its command line.
struct admin_socket_limits {
  std::uint32_t connections_max = 64;                ///< clients at once; further ones are closed at once
  std::uint32_t message_bytes_max = 16U << 20U;      ///< largest request or reply
  std::uint32_t page_bytes = 4U << 20U;              ///< of what is longer than a reply, in one reply
  std::chrono::milliseconds connect_timeout{5'000};  ///< client: until the daemon has accepted; no setting
};

}  // namespace firstlight
