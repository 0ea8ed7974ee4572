#pragma once
#include <map>

#include "actors/net/admin_server.hpp"
#include "actors/net/kj_loop.hpp"
#include "actors/net/rpc/connection.hpp"
#include "actors/net/rpc/log_limit.hpp"
#include "schemas/admin_rpc.capnp.h"

namespace firstlight {

/// The clients of one UNIX socket and their open calls. Made on any thread, then the loop's only.
class admin_engine final : public std::enable_shared_from_this<admin_engine>,
                           private kj::TaskSet::ErrorHandler {
 public:
  admin_engine(caf::actor_system& system, kj_loop& loop, admin_service service, admin_socket_limits limits);
  ~admin_engine();

  /// Takes the listening socket over.
  void start(int descriptor);

  using client_id = std::uint64_t;
  using call_id = std::uint64_t;

  // ---- for a client's face ----------------------------------------------------------------------------

  /// The reply's bytes, or the service's error as exception. Dropping the promise forgets the call.
  kj::Promise<shared_bytes> call(client_id from, shared_bytes request, wire::AdminProgress::Client progress);
  [[nodiscard]] message_stream& messages(client_id of) { return clients_.at(of)->messages(); }

  // ---- for the actor of a call --------------------------------------------------------------------------

  void answer(call_id id, result<shared_bytes> outcome);
  void progress(call_id id, shared_bytes what);

 private:
  struct open_call {
    client_id client;
    kj::Own<kj::PromiseFulfiller<shared_bytes>> reply;
    wire::AdminProgress::Client sink;
    caf::actor worker;
    bool telling = false;
    std::optional<shared_bytes> latest;  // came while one was on its way
  };

  void taskFailed(kj::Exception&& thrown) override;
  kj::Promise<void> accept_next();
  void accepted(kj::Own<kj::AsyncIoStream> stream);
  void ended(client_id id);
  void forget(call_id id);
  void tell(call_id id);

  caf::actor_system& system_;
  kj_loop& loop_;
  admin_service service_;
  admin_socket_limits limits_;
  kj::Own<kj::ConnectionReceiver> port_;
  std::map<client_id, kj::Own<connection>> clients_;
  std::map<call_id, open_call> calls_;
  std::uint64_t next_id_ = 1;
  log_limit failures_;
  kj::Own<kj::TaskSet> tasks_;  // last: its tasks refer to all the above
};

}  // namespace firstlight
