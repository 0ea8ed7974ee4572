#pragma once
#include <map>

#include "actors/console/console_session.hpp"
#include "actors/net/admin_server.hpp"
#include "actors/net/kj_loop.hpp"
#include "actors/net/rpc/admin_connection.hpp"
#include "actors/net/rpc/log_limit.hpp"

namespace firstlight {

/// The clients of one UNIX socket, each with its console session. Made on any thread, then the loop's only.
class admin_engine final : public std::enable_shared_from_this<admin_engine>,
                           private kj::TaskSet::ErrorHandler {
 public:
  admin_engine(caf::actor_system& system, kj_loop& loop, admin_service service, admin_socket_limits limits);
  ~admin_engine();

  /// Takes the listening socket over.
  void start(int descriptor);

 private:
  using client_id = std::uint64_t;
  struct client {
    kj::Own<admin_connection> link;
    std::string refused;  ///< why it may not use this socket, or empty
    console_session session;
    std::optional<shared_bytes> latest;           ///< progress that has not been sent
    std::optional<result<shared_bytes>> outcome;  ///< answer that has not been sent
    kj::Own<kj::PromiseFulfiller<void>> wake;     ///< of the sender, when it has nothing to send
  };

  void taskFailed(kj::Exception&& thrown) override;
  kj::Promise<void> accept_next();
  void accepted(kj::Own<kj::AsyncIoStream> stream);
  kj::Promise<void> serve(client& from);
  kj::Promise<void> send_answers(client& to);
  console_sink sink_of(client_id id);
  void answer(client& to, result<shared_bytes> outcome);
  static void wake(client& to);

  caf::actor_system& system_;
  kj_loop& loop_;
  admin_service service_;
  admin_socket_limits limits_;
  kj::Own<kj::ConnectionReceiver> port_;
  std::map<client_id, client> clients_;
  client_id next_id_ = 1;
  log_limit failures_;
  kj::Own<kj::TaskSet> tasks_;  // last: its tasks refer to all the above
};

}  // namespace firstlight
