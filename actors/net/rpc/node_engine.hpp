#pragma once
#include <memory>

#include "actors/net/rpc/hub_session.hpp"
#include "actors/net/rpc/log_limit.hpp"
#include "model/retry.hpp"

namespace firstlight {

/// Keeps one node joined to its hub: one `hub_session` after another, with jittered backoff between them.
/// Made on any thread, then the loop's only.
class node_engine final : public hub_session::owner, private kj::TaskSet::ErrorHandler {
 public:
  node_engine(kj_loop& loop, hub_link_options options, std::shared_ptr<tls_identity> tls);

  void start(hub_link_shell link);

  /// Answered by `pull_answer`; at once and `unavailable` while there is no session.
  void pull(std::uint64_t id, const pull_request& request);
  void wants(const want& what);
  void cancel(std::uint64_t delivery);
  void answer(std::uint64_t id, verdict what);
  /// Answered by `call_answer`; at once and `unavailable` while there is no session.
  void call(std::uint64_t id, opaque_call which, const shared_bytes& bytes);
  /// Ends the session, if there is one; the next one follows as after a loss.
  void reconnect();
  /// Answered by `status_answer`.
  void tell_status(std::uint64_t id);
  /// Answered by `join_expired` after `time`.
  void expire(std::uint64_t id, std::chrono::milliseconds time);

 private:
  void joined() override;
  void bulk_changed() override {}
  void failed(error why) override;
  std::uint64_t next_id() override { return next_id_++; }
  void taskFailed(kj::Exception&& thrown) override;

  void dial();
  void announce(link_state now, std::string why);
  std::chrono::milliseconds pause_after(const error& why);
  kj::Promise<void> watch();

  kj_loop& loop_;
  hub_link_options options_;
  std::shared_ptr<tls_identity> tls_;
  hub_link_shell link_;
  std::string process_ = hub_session::random_token();
  retry retry_;
  std::shared_ptr<hub_session> session_;
  link_status past_;  // what ended sessions have counted, and the state
  bool joined_once_ = false;
  std::uint64_t next_id_ = 1;
  instant watched_{};
  log_limit failures_;
  kj::Own<kj::TaskSet> tasks_;  // last: its tasks refer to all the above
};

}  // namespace firstlight
