#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "config/tls_files.hpp"
#include "model/result.hpp"

namespace firstlight {

class kj_loop;

struct hub_tunnel_options {
  std::string address;  ///< host:port of the hub
  tls_files tls;        ///< with an admin's certificate
  std::filesystem::path socket;
  std::chrono::milliseconds connect_timeout{10'000};
};

/// HUB TUNNEL: a UNIX socket on which another machine's hub answers, over mutual TLS 1.3 with an admin's
/// certificate. Every connection to the socket becomes one to the hub.
class hub_tunnel {
 public:
  /// Connects once, so that a hub that is away or refuses is noticed at once. The socket gets mode 0600.
  /// Errors: `unavailable`, `timed_out`, `denied` (not a hub), `not_found`/`corrupt` (TLS files), `io`.
  [[nodiscard]] static result<std::unique_ptr<hub_tunnel>> open(kj_loop& loop, hub_tunnel_options options);
  /// Closes all connections and removes the socket.
  ~hub_tunnel();
  hub_tunnel(const hub_tunnel&) = delete;
  hub_tunnel& operator=(const hub_tunnel&) = delete;

 private:
  class work;
  hub_tunnel(kj_loop& loop, const std::shared_ptr<work>& resident, std::filesystem::path socket);

  kj_loop& loop_;
  std::weak_ptr<work> work_;  // owned by the loop
  std::filesystem::path socket_;
};

}  // namespace firstlight
