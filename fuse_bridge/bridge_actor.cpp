#include "fuse_bridge/bridge_actor.hpp"

#include <spdlog/spdlog.h>

#include <cerrno>
#include <optional>
#include <set>

#include "actors/errors.hpp"
#include "fuse_bridge/killed_reader.hpp"
#include "fuse_bridge/read_path.hpp"

namespace firstlight {
namespace {

// What only the bridge sends to itself.
using ticking_bridge = mount_bridge::extend<caf::reacts_to<caf::tick_atom>>;

class bridge_state {
 public:
  void start(ticking_bridge::pointer self, bridge_parts parts) {
    self_ = self;
    parts_ = std::move(parts);
  }

  void adopt(adopt_mount mount) {
    mount_ = std::move(mount);
    // It ends after this actor, unless it fails: then nobody would end this one, which its session knows.
    if (mount_.behind) self_->monitor(mount_.behind);
    if (complete_) raise_read_ahead();
  }

  void release(const reads_released& released) {
    // Who still waits on a mount that stays is served by the next process.
    if (released.mount_ends && stays()) return;
    for (const auto waiter : released.waiters) {
      auto read = parts_.reads.parked->take(waiter);
      if (!read) continue;  // its reader was killed meanwhile
      watched_.erase(waiter);
      if (released.failure && !(released.mount_ends && served_elsewhere(*read)))
        refuse_read(*read, EIO);
      else if (!released.failure)
        answer(std::move(*read));
    }
  }

  // The kernel tells of a signal only once, and not which. An answer to a reader that lives on would turn a
  // harmless signal into a bus error of its memory mapping: so the reader is watched until it is dead.
  void watch(waiter_id waiter) {
    if (let_go_if_killed(waiter)) return;
    if (watched_.insert(waiter).second && watched_.size() == 1) check_later();
  }

  void check_watched() {
    std::erase_if(watched_, [this](waiter_id waiter) { return let_go_if_killed(waiter); });
    if (!watched_.empty()) check_later();
  }

  void complete() {
    complete_ = true;
    if (mount_.assembly != nullptr) raise_read_ahead();
  }

  caf::result<unmounted> unmount(unmount_request request) {
    if (mount_.assembly == nullptr) return to_caf({errc::not_ready, "the mount is still being made"});
    if (auto gone = mount_.assembly->take_down(request.when_busy); !gone) return to_caf(gone.error());
    return unmounted{};
  }

  /// The instance has sent it: the daemon stops, or the mount has gone. Anything else is a failure.
  void note_end(const caf::error& why) { ends_ = why == caf::exit_reason::user_shutdown; }

  bridge_state() = default;
  ~bridge_state() {
    if (ends_)
      static_cast<void>(stays());
    else if (self_ != nullptr)
      give_up();
  }
  bridge_state(const bridge_state&) = delete;
  bridge_state& operator=(const bridge_state&) = delete;

 private:
  bool stays() { return mount_.assembly != nullptr && mount_.assembly->leave_if_used(); }

  /// The node goes on: nobody else would answer until it ends.
  void give_up() {
    const bool used = mount_.assembly != nullptr && mount_.assembly->take_down_unless_used();
    // Where something else than a read waits, nobody knows whether it has been answered.
    if (in_hand_ && !in_hand_->resume) refuse_read(*in_hand_, EIO);
    refuse_all_reads(*parts_.reads.parked);
    if (used) parts_.failed->take(std::move(mount_.assembly));
  }

  void answer(parked_request read) {
    in_hand_ = std::move(read);
    answer_read(parts_.reads, *in_hand_);
    in_hand_.reset();
  }

  bool served_elsewhere(const parked_request& read) {
    return parts_.serve_elsewhere && parts_.serve_elsewhere(read);
  }

  /// @returns whether the waiter is no longer parked.
  bool let_go_if_killed(waiter_id waiter) {
    const auto thread = parts_.reads.parked->thread_of(waiter);
    if (!thread) return true;
    if (!is_killed(*thread)) return false;
    if (const auto read = parts_.reads.parked->take(waiter)) refuse_read(*read, EINTR);
    if (mount_.behind) self_->send(mount_.behind, forget_read{waiter});
    return true;
  }

  void check_later() { self_->delayed_send(self_, parts_.limits.killed_check_interval, caf::tick_atom_v); }

  void raise_read_ahead() {
    const auto raised = mount_.assembly->set_read_ahead(parts_.limits.read_ahead_complete_bytes);
    if (!raised) spdlog::info("reads of this mount stay small: {}", raised.error().detail);
  }

  ticking_bridge::pointer self_ = nullptr;
  bridge_parts parts_;
  adopt_mount mount_;
  std::set<waiter_id> watched_;
  std::optional<parked_request> in_hand_;  ///< no longer parked, and not answered
  bool complete_ = false;
  bool ends_ = false;
};

ticking_bridge::behavior_type run_bridge(ticking_bridge::stateful_pointer<bridge_state> self,
                                         bridge_parts parts) {
  self->set_error_handler([](const caf::error&) {});  // the instance may have ended: nobody to tell
  auto& state = self->state;
  state.start(self, std::move(parts));
  self->set_exit_handler([self](const caf::exit_msg& message) {
    self->state.note_end(message.reason);
    self->quit(message.reason);
  });
  self->set_down_handler([self](const caf::down_msg& instance) { self->quit(instance.reason); });
  return {
      [&state](const reads_released& released) { state.release(released); },
      [&state](read_interrupted signal) { state.watch(signal.waiter); },
      [](contents_known) {},  // blocks are looked up by the instance
      [&state](image_complete) { state.complete(); },
      [&state](unmount_request request) { return state.unmount(request); },
      [&state](const adopt_mount& mount) { state.adopt(mount); },
      [&state](caf::tick_atom) { state.check_watched(); },
  };
}

}  // namespace

mount_bridge spawn_bridge(caf::actor_system& system, bridge_parts parts) {
  return system.spawn<caf::detached>(run_bridge, std::move(parts));
}

}  // namespace firstlight
