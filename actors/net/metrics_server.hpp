#pragma once
#include <memory>
#include <string>

#include "actors/interfaces.hpp"
#include "config/settings.hpp"

namespace firstlight {

class kj_loop;
class metrics_engine;

/// METRICS SERVER: answers a local monitoring system over HTTP, on loopback only: /metrics in Prometheus'
/// text format, /healthz (the daemon answers), /readyz (it can do its work: a node has joined its hub).
class metrics_server {
 public:
  /// The host is numeric and of this machine, port 0 any free one. Errors: `invalid_argument`, `io`.
  [[nodiscard]] static result<std::unique_ptr<metrics_server>> start(caf::actor_system& system, kj_loop& loop,
                                                                     const host_and_port& where,
                                                                     admin_service service);
  ~metrics_server();
  metrics_server(const metrics_server&) = delete;
  metrics_server& operator=(const metrics_server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  metrics_server(kj_loop& loop, const std::shared_ptr<metrics_engine>& work, std::uint16_t port);

  kj_loop& loop_;
  std::weak_ptr<metrics_engine> engine_;  // owned by the loop
  std::uint16_t port_;
};

}  // namespace firstlight
