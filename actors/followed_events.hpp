#pragma once
#include <deque>

#include "actors/interfaces.hpp"
#include "config/admin_socket_limits.hpp"
#include "model/event_log.hpp"
#include "schemas/admin.hpp"

namespace firstlight {

/// FOLLOWED EVENTS: what has happened in a daemon, and who waits for what comes next. Part of the state of
/// its root actor.
class followed_events {
 public:
  using promise = caf::typed_response_promise<admin_message>;

  /// No more followers can be there than clients: of more some have gone.
  explicit followed_events(std::size_t followers_max = admin_socket_limits{}.connections_max)
      : followers_max_(followers_max) {}

  /// Something happens now; followers that have waited for it are answered. The log has it at `debug`.
  void note(std::string kind, std::string about);

  /// Answers with what is new to the asker: at once, or when there is something, as asked. Of too many
  /// followers the one that has waited longest is answered with nothing.
  void tell(const admin_events_request& asked, promise reply);

 private:
  struct follower {
    std::uint64_t after = 0;
    promise reply;
  };
  [[nodiscard]] admin_events since(std::uint64_t after) const;

  std::size_t followers_max_;
  event_log log_;
  std::deque<follower> followers_;  ///< who has waited longest first
};

}  // namespace firstlight
