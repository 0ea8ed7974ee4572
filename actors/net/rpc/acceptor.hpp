#pragma once
#include <kj/async-io.h>
#include <kj/io.h>

#include <map>
#include <string>

#include "actors/net/rpc/log_limit.hpp"
#include "actors/net/rpc/tls.hpp"
#include "config/link_limits.hpp"

namespace firstlight {

/// Accepts TCP connections and hands out those that finished a mutual TLS 1.3 handshake. Handshakes have a
/// time limit; when too many are open the oldest gives way, so silent connections never keep others out. Loop
/// thread only.
class acceptor final : private kj::TaskSet::ErrorHandler {
 public:
  struct accepted {
    kj::Own<kj::AsyncIoStream> stream;
    certificate_name peer;
    std::string address;
  };
  struct options {
    link_limits limits;
    std::string name = "hub";  ///< of what listens, in the log
  };

  /// `descriptor` is a listening socket that this object takes over.
  acceptor(kj::AsyncIoContext& io, int descriptor, std::shared_ptr<tls_identity> tls, options configured,
           kj::Function<void(accepted)> on_accepted);

 private:
  kj::Promise<void> accept_next();
  void begin(kj::AuthenticatedStream stream);
  void taskFailed(kj::Exception&& thrown) override;
  void log_failure(const std::string& address, const kj::Exception& thrown);

  kj::Timer& timer_;
  std::shared_ptr<tls_identity> tls_;
  options options_;
  kj::Function<void(accepted)> on_accepted_;
  kj::Own<kj::ConnectionReceiver> port_;
  std::map<std::uint64_t, kj::Own<kj::PromiseFulfiller<void>>> handshakes_;  // fulfilled: abandon
  std::uint64_t next_handshake_ = 1;
  log_limit failures_;
  kj::TaskSet tasks_;
};

}  // namespace firstlight
