#pragma once
#include <memory>
#include <string>
#include <vector>

#include "actors/interfaces.hpp"
#include "config/link_limits.hpp"
#include "config/tls_files.hpp"

namespace firstlight {

class kj_loop;
class metrics_engine;

struct metrics_options {
  std::string listen;  ///< numeric ADDRESS:PORT, or the absolute path of a UNIX socket
  tls_files tls;       ///< the daemon's own; for an address only
  link_limits limits;
  std::vector<std::string> revoked;  ///< "monitor:NAME", "admin:NAME": what they ask is refused
};

/// METRICS SERVER: answers a monitoring system over HTTP: /metrics in Prometheus' text format, /healthz (the
/// daemon answers), /readyz (it can do its work: a node has joined its hub). On an address it speaks mutually
/// authenticated TLS 1.3, for the certificates of monitors and admins; others get 403. A UNIX socket (mode
/// 0600) is for root and the daemon's own user, without TLS.
class metrics_server {
 public:
  /// Errors: `invalid_argument` (address), `io`, `already_exists` (a daemon answers on that socket),
  /// `not_found`/`corrupt` (TLS files).
  [[nodiscard]] static result<std::unique_ptr<metrics_server>> start(caf::actor_system& system, kj_loop& loop,
                                                                     metrics_options options,
                                                                     admin_service service);
  ~metrics_server();
  metrics_server(const metrics_server&) = delete;
  metrics_server& operator=(const metrics_server&) = delete;

 private:
  metrics_server(kj_loop& loop, const std::shared_ptr<metrics_engine>& work, std::string socket);

  kj_loop& loop_;
  std::weak_ptr<metrics_engine> engine_;  // owned by the loop
  std::string socket_;                    // to be removed; empty: there is none
};

/// The metrics server of a daemon whose root is `service`, as the options of a hub or a node say; none if
/// they name no place to listen at. Errors: as metrics_server::start.
template <class Options>
[[nodiscard]] result<std::unique_ptr<metrics_server>> serve_metrics(caf::actor_system& system, kj_loop& loop,
                                                                    const Options& options,
                                                                    admin_service service) {
  if (options.metrics_listen.empty()) return std::unique_ptr<metrics_server>();
  return metrics_server::start(system, loop,
                               {.listen = options.metrics_listen,
                                .tls = options.tls,
                                .limits = options.link,
                                .revoked = options.revoked_nodes},
                               std::move(service));
}

}  // namespace firstlight
