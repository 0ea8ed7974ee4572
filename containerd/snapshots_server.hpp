#pragma once
#include <memory>

#include "actors/interfaces.hpp"
#include "config/containerd_options.hpp"

namespace firstlight {

/// SNAPSHOTS SERVER: the UNIX socket, mode 0600, on which containerd asks for snapshots, and kubelet for
/// images (image_service_proxy.hpp).
class snapshots_server {
 public:
  /// Answers when it returns. Makes the socket's folder if it is missing, replaces a stale socket. `system`
  /// outlives it. Errors: `already_exists` when somebody answers there; `io`, `invalid_argument` (path too
  /// long).
  [[nodiscard]] static result<std::unique_ptr<snapshots_server>> start(caf::actor_system& system,
                                                                       snapshotter which, login_keeper logins,
                                                                       const containerd_options& options);
  /// Fails open calls, closes all connections and removes the socket.
  ~snapshots_server();
  snapshots_server(const snapshots_server&) = delete;
  snapshots_server& operator=(const snapshots_server&) = delete;

 private:
  struct impl;
  explicit snapshots_server(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

}  // namespace firstlight
