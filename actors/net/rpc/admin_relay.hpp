#pragma once
#include <set>
#include <vector>

#include "actors/net/kj_loop.hpp"
#include "actors/net/rpc/acceptor.hpp"

namespace firstlight {

/// Leads connections of admins on other machines to a daemon's own UNIX socket, which answers them as it
/// answers its own machine's root. Loop thread only; its end closes them.
class admin_relay final : private kj::TaskSet::ErrorHandler {
 public:
  struct options {
    std::string daemon;  ///< "hub" or "node", in the log and in what is said to who is refused
    std::string socket;  ///< the daemon's own
    link_limits limits;
    std::vector<std::string> revoked;  ///< "admin:NAME"; other names say nothing here
  };

  admin_relay(kj_loop& loop, options configured);

  /// Who has no admin's certificate or a revoked one, or comes when there are link.admin_connections_max, is
  /// answered by why, whatever it asks.
  void accepted(acceptor::accepted stream);

 private:
  [[nodiscard]] result<void> check(const certificate_name& peer) const;
  void lead(acceptor::accepted stream);
  void refuse(acceptor::accepted stream, const error& why);
  void taskFailed(kj::Exception&& thrown) override;

  kj_loop& loop_;
  options options_;
  std::set<std::string> revoked_;
  std::uint32_t led_ = 0;      // connections to the socket
  std::uint32_t refused_ = 0;  // connections that are being told why
  log_limit refusals_;
  kj::TaskSet tasks_;  // last: its tasks refer to all the above
};

}  // namespace firstlight
