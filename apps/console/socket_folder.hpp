#pragma once
#include <filesystem>
#include <string>

namespace firstlight {

/// SOCKET FOLDER: a new folder below $TMPDIR for the sockets of a console's tunnels, which nobody else may
/// enter. It is gone with its sockets at the end, also when SIGHUP, SIGINT, SIGQUIT or SIGTERM ends the
/// process. One at a time, on the main thread.
class socket_folder {
 public:
  /// Without a path if it cannot be made.
  socket_folder();
  ~socket_folder();
  socket_folder(const socket_folder&) = delete;
  socket_folder& operator=(const socket_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// For the socket of the tunnel to a hub or to a node.
  [[nodiscard]] std::filesystem::path hub_socket() const { return path_ / "hub.sock"; }
  [[nodiscard]] std::filesystem::path node_socket() const { return path_ / "node.sock"; }

 private:
  std::filesystem::path path_;
};

}  // namespace firstlight
