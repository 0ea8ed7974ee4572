#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/link_limits.hpp"
#include "config/tls_files.hpp"
#include "model/result.hpp"

namespace firstlight {

class kj_loop;

struct admin_port_options {
  std::string listen;  ///< numeric ADDRESS:PORT; port 0: any free one, see `admin_port::port`
  tls_files tls;       ///< the node's own
  link_limits limits;
  std::string admin_socket;          ///< the node's own, to which admins are led
  std::vector<std::string> revoked;  ///< "admin:NAME"
};

/// ADMIN PORT: where a node is administered from other machines, over mutual TLS 1.3 by the certificates of
/// admins. Others are answered by why they are refused. Hubs do the same on the port of their nodes
/// (hub_listener.hpp). Any thread may call; `loop` outlives it.
class admin_port {
 public:
  /// Listens when it returns. Errors: `invalid_argument` (address), `io` (port in use, ...),
  /// `not_found`/`corrupt` (TLS files).
  [[nodiscard]] static result<std::unique_ptr<admin_port>> start(kj_loop& loop, admin_port_options options);
  /// Closes the port and every connection.
  ~admin_port();
  admin_port(const admin_port&) = delete;
  admin_port& operator=(const admin_port&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  class work;
  admin_port(kj_loop& loop, std::weak_ptr<work> resident, std::uint16_t port);

  kj_loop& loop_;
  std::weak_ptr<work> work_;  // owned by the loop
  std::uint16_t port_;
};

}  // namespace firstlight
