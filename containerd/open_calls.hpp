#pragma once
#include <caf/all.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "actors/errors.hpp"

namespace firstlight {

/// OPEN CALLS: asks actors on behalf of threads that are none of CAF's, without blocking them. All members
/// from any thread.
class open_calls {
 public:
  explicit open_calls(caf::actor_system& system) : system_(system) {}
  ~open_calls() { end(); }
  open_calls(const open_calls&) = delete;
  open_calls& operator=(const open_calls&) = delete;

  /// Asks and calls `done(result<Reply>)` exactly once, on a thread of CAF's or, after `end`, at once.
  /// Errors: those of the actor; `unavailable` when it or this ends first.
  template <class Reply, class Handle, class Message, class Done>
  void ask(const Handle& whom, Message message, Done done) {
    auto once = std::make_shared<std::function<void(const result<Reply>&)>>(std::move(done));
    const auto settle = [once](const result<Reply>& outcome) {
      if (const auto then = std::exchange(*once, {})) then(outcome);
    };
    const std::lock_guard lock(mutex_);
    if (ended_) return settle(fail(errc::unavailable, "the node is stopping"));
    auto asker = system_.spawn([=, this](caf::event_based_actor* self) mutable {
      self->attach_functor([=, this, id = self->address()] {
        settle(fail(errc::unavailable, "the node is stopping"));
        const std::lock_guard forgetting(mutex_);
        open_.erase(id);
        if (open_.empty()) none_open_.notify_all();
      });
      self->request(whom, caf::infinite, std::move(message))
          .then([settle](const Reply& reply) { settle(reply); },
                [settle](const caf::error& problem) { settle(tl::unexpected(from_caf(problem))); });
    });
    open_.insert(asker.address());
  }

  /// Fails all open calls and refuses further ones; returns when none is open.
  void end();

 private:
  caf::actor_system& system_;
  std::mutex mutex_;  // guards the following
  std::condition_variable none_open_;
  std::set<caf::actor_addr> open_;
  bool ended_ = false;
};

}  // namespace firstlight
