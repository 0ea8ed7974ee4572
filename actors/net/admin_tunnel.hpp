#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "config/tls_files.hpp"
#include "model/result.hpp"
#include "storage/pki/certificate_authority.hpp"

namespace firstlight {

class kj_loop;

struct admin_tunnel_options {
  std::string address;                ///< host:port
  pki_role far_side = pki_role::hub;  ///< who must answer there: a hub or a node
  tls_files tls;                      ///< with an admin's certificate
  std::filesystem::path socket;
  std::chrono::milliseconds connect_timeout{10'000};
};

/// ADMIN TUNNEL: a UNIX socket on which another machine's hub or node answers, over mutual TLS 1.3 with an
/// admin's certificate. Every connection to the socket becomes one to that daemon.
class admin_tunnel {
 public:
  /// Connects once, so that a daemon that is away or another one is noticed at once. The socket gets mode
  /// 0600. Errors: `unavailable`, `timed_out`, `denied` (another authority's, or not `far_side`),
  /// `not_found`/`corrupt` (TLS files), `io`.
  [[nodiscard]] static result<std::unique_ptr<admin_tunnel>> open(kj_loop& loop,
                                                                  admin_tunnel_options options);
  /// Closes all connections and removes the socket.
  ~admin_tunnel();
  admin_tunnel(const admin_tunnel&) = delete;
  admin_tunnel& operator=(const admin_tunnel&) = delete;

 private:
  class work;
  admin_tunnel(kj_loop& loop, const std::shared_ptr<work>& resident, std::filesystem::path socket);

  kj_loop& loop_;
  std::weak_ptr<work> work_;  // owned by the loop
  std::filesystem::path socket_;
};

}  // namespace firstlight
