#pragma once
#include <cstdint>
#include <string>

#include "model/result.hpp"

namespace firstlight {

/// A bound, listening TCP socket. Whoever gets it closes it.
struct listening_socket {
  int descriptor = -1;
  std::uint16_t port = 0;
};

/// Listens on a numeric address, IPv4 or IPv6; port 0: any free one. Errors: `invalid_argument`, `io`.
[[nodiscard]] result<listening_socket> listen_on(const std::string& address, std::uint16_t port);

}  // namespace firstlight
