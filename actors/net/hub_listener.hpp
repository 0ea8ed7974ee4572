#pragma once
#include <functional>
#include <memory>

#include "actors/interfaces.hpp"
#include "config/link_limits.hpp"
#include "config/tls_files.hpp"

namespace firstlight {

class kj_loop;
class hub_engine;

struct hub_listener_options {
  std::string address = "0.0.0.0";  ///< numeric, IPv4 or IPv6
  std::uint16_t port = 0;           ///< 0: any free one, see `hub_listener::port`
  tls_files tls;
  link_limits limits;
  std::string hub_name;
  std::string software_version;
  std::uint32_t block_bytes = default_block_bytes;
  std::vector<std::string>
      revoked_nodes;         ///< names (without "node:") that may not join any more; "admin:NAME"
  std::string admin_socket;  ///< admins' connections are led to this UNIX socket; empty: they are refused
  std::string congestion_control = "bbr";  ///< of bulk sockets where the kernel allows; empty: the system's
  std::string signs_with;  ///< PEM of the certificate that this hub's statements are signed with
};

/// Who has joined.
struct node_identity {
  std::string name;  ///< from its certificate, without "node:"; of another hub with "hub:"
  std::string address;
  std::string software_version;
  bool is_hub = false;  ///< another hub, which exchanges traces
};

/// Makes the actor that serves one joined node; called on the transport's thread, so it only spawns.
/// The session gets an exit message when the node is gone; when the session ends the node is disconnected.
using node_session_factory = std::function<node_session(const node_identity&, node_link)>;

/// HUB LISTENER: accepts nodes over mutual TLS 1.3 and presents each as a `node_link` actor; admins are led
/// to the hub's own socket. A node that joins again under the same name replaces its old session at once. Any
/// thread may call; `loop` and `system` outlive it.
class hub_listener {
 public:
  /// Binds and listens before it returns. Errors: `invalid_argument` (address), `io` (port in use, ...),
  /// `not_found`/`corrupt` (TLS files).
  [[nodiscard]] static result<std::unique_ptr<hub_listener>> start(caf::actor_system& system, kj_loop& loop,
                                                                   hub_listener_options options,
                                                                   node_session_factory make_session);
  /// Closes the port and every connection; all sessions get their exit message.
  ~hub_listener();
  hub_listener(const hub_listener&) = delete;
  hub_listener& operator=(const hub_listener&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  hub_listener(kj_loop& loop, const std::shared_ptr<hub_engine>& work, std::uint16_t port);

  kj_loop& loop_;
  std::weak_ptr<hub_engine> engine_;  // owned by the loop
  std::uint16_t port_;
};

}  // namespace firstlight
