#include "fuse_bridge/hybrid/hybrid_bridge.hpp"

#include "actors/errors.hpp"

namespace firstlight {
namespace {

class bridge_state {
 public:
  void start(hybrid_bridge_parts parts) {
    parts_ = std::move(parts);
    parts_.arriving->begin();
  }
  ~bridge_state() {
    if (parts_.contents == nullptr) return;
    const bool stays = mount_ != nullptr && mount_->leave_if_used();
    if (stays && !ends_ && parts_.failed) {
      mount_->hold(parts_.member);
      parts_.failed->take(mount_);
    }
    mount_.reset();
    if (!ends_) parts_.contents->give_up(parts_.member);  // the instance ends with this, and the node goes on
    if (stays && !ends_) complete();  // what has not arrived gives errors: nothing of it waits for read-ahead
    if (stays) return;                // its files can be found to the end of this process
    parts_.contents->leave(parts_.member);
    complete();
  }
  bridge_state() = default;
  bridge_state(const bridge_state&) = delete;
  bridge_state& operator=(const bridge_state&) = delete;

  /// The instance has sent it: the daemon stops, or the mount has gone. Anything else is a failure.
  void note_end(const caf::error& why) { ends_ = why == caf::exit_reason::user_shutdown; }

  void release(const reads_released& released) {
    // Who still waits on a mount that stays is served by the next process.
    if (released.mount_ends && mount_ != nullptr && mount_->leave_if_used()) return;
    if (released.mount_ends) parts_.contents->leave(parts_.member);  // reads of other mounts go on with those
    parts_.contents->release(released);
  }

  void learn() {
    // In this order: a name that is shown must be found.
    parts_.contents->learn(parts_.member);
    known_ = true;
    if (mount_ != nullptr) mount_->learn();
  }

  void complete() {
    if (!std::exchange(complete_, true)) parts_.arriving->end();
  }

  caf::result<unmounted> unmount(unmount_request request) {
    if (mount_ == nullptr) return to_caf({errc::not_ready, "the mount is still being made"});
    if (auto gone = mount_->take_down(request.when_busy); !gone) return to_caf(gone.error());
    return unmounted{};
  }

  void adopt(std::shared_ptr<hybrid_mount> mount) {
    mount_ = std::move(mount);
    if (known_) mount_->learn();
  }

 private:
  hybrid_bridge_parts parts_;
  std::shared_ptr<hybrid_mount> mount_;
  bool ends_ = false;
  bool known_ = false;
  bool complete_ = false;
};

hybrid_bridge::behavior_type run_bridge(hybrid_bridge::stateful_pointer<bridge_state> self,
                                        hybrid_bridge_parts parts) {
  auto& state = self->state;
  state.start(std::move(parts));
  self->set_exit_handler([self](const caf::exit_msg& message) {
    self->state.note_end(message.reason);
    self->quit(message.reason);
  });
  return {
      [&state](const reads_released& released) { state.release(released); },
      [](read_interrupted) {},  // the content mount's bridge watches its readers
      [&state](contents_known) { state.learn(); },
      [&state](image_complete) { state.complete(); },
      [&state](unmount_request request) { return state.unmount(request); },
      [&state](const adopt_hybrid& adopted) { state.adopt(adopted.mount); },
  };
}

}  // namespace

hybrid_bridge spawn_hybrid_bridge(caf::actor_system& system, hybrid_bridge_parts parts) {
  return system.spawn<caf::detached>(run_bridge, std::move(parts));
}

}  // namespace firstlight
