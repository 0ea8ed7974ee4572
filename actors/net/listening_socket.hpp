#pragma once
#include <cstdint>
#include <filesystem>
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
/// The same of "ADDRESS:PORT" or "[V6]:PORT".
[[nodiscard]] result<listening_socket> listen_on(const std::string& address_and_port);

/// Listens on a UNIX socket, mode 0600, replacing one that a killed daemon has left. @returns its descriptor;
/// whoever gets it closes it and removes the file. Errors: those of `free_socket_file`.
[[nodiscard]] result<int> listen_on_file(const std::filesystem::path& socket);

}  // namespace firstlight
