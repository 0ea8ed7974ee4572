#pragma once
#include <filesystem>
#include <memory>
#include <utility>

#include "actors/interfaces.hpp"
#include "config/admin_socket_limits.hpp"

namespace firstlight {

class kj_loop;
class admin_engine;

/// The UNIX socket of a daemon before anybody answers on it: calls wait. A daemon binds it before it does
/// what cannot be taken back.
class admin_listener {
 public:
  /// Makes the socket's folder (0755) if it is missing, replaces a stale socket.
  /// Errors: `already_exists` when a daemon answers there, `io`, `invalid_argument` (path too long).
  [[nodiscard]] static result<admin_listener> bind(std::filesystem::path socket);
  admin_listener(admin_listener&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), socket_(std::move(other.socket_)) {}
  admin_listener& operator=(admin_listener&&) = delete;
  /// Removes the socket, unless a server has taken it.
  ~admin_listener();

 private:
  friend class admin_server;
  admin_listener(int descriptor, std::filesystem::path socket)
      : descriptor_(descriptor), socket_(std::move(socket)) {}

  int descriptor_;
  std::filesystem::path socket_;
};

/// ADMIN SERVER: the UNIX socket of a daemon, mode 0600, for root and the daemon's own user. Each client has
/// a console session (actors/console/), which takes its requests to the `admin_service` and ends with the
/// client, the progress listener of a running request with it: a service that works for long may monitor
/// that.
class admin_server {
 public:
  /// Answers on a socket from now on. Errors: `io`.
  [[nodiscard]] static result<std::unique_ptr<admin_server>> start(caf::actor_system& system, kj_loop& loop,
                                                                   admin_listener listener,
                                                                   admin_service service,
                                                                   admin_socket_limits limits = {});
  /// Both steps. Errors: also those of admin_listener::bind.
  [[nodiscard]] static result<std::unique_ptr<admin_server>> start(caf::actor_system& system, kj_loop& loop,
                                                                   std::filesystem::path socket,
                                                                   admin_service service,
                                                                   admin_socket_limits limits = {});
  /// Closes every connection and removes the socket.
  ~admin_server();
  admin_server(const admin_server&) = delete;
  admin_server& operator=(const admin_server&) = delete;

 private:
  admin_server(kj_loop& loop, const std::shared_ptr<admin_engine>& work, std::filesystem::path socket);

  kj_loop& loop_;
  std::weak_ptr<admin_engine> engine_;  // owned by the loop
  std::filesystem::path socket_;
};

}  // namespace firstlight
