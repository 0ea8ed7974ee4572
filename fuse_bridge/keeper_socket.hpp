#pragma once
#include <filesystem>
#include <optional>

#include "schemas/keeper_message.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// One end of the connection between a node and its keeper: a UNIX socket of packets, each one message and at
/// most one descriptor (unix(7), SCM_RIGHTS). Not thread-safe.
class keeper_socket {
 public:
  keeper_socket(file_descriptor socket, std::uint32_t message_bytes_max)
      : socket_(std::move(socket)), message_bytes_max_(message_bytes_max) {}

  struct received {
    keeper_message message;
    file_descriptor descriptor;  ///< may be none
  };

  [[nodiscard]] int get() const { return socket_.get(); }

  /// Sends a message, with `descriptor` unless it is negative. Errors: `unavailable` when the far side has
  /// ended, `timed_out` if the socket has a limit, `limit_exceeded`, `io`.
  result<void> send(const keeper_message& message, int descriptor = -1);

  /// Waits for the next message. @returns nothing when the far side has ended. Errors: `corrupt`,
  /// `timed_out` if the socket has a limit, `io`.
  result<std::optional<received>> receive();

 private:
  file_descriptor socket_;
  std::uint32_t message_bytes_max_;
};

/// Makes the socket file, mode 0600, in place of one that nobody listens at. Errors: `invalid_argument` for a
/// path that is too long, `io`.
result<file_descriptor> listen_for_nodes(const std::filesystem::path& path);

/// Connects to the keeper that listens there. Errors: `not_found` when none does, `io`.
result<file_descriptor> connect_to_keeper(const std::filesystem::path& path);

}  // namespace firstlight
