#pragma once
#include <random>
#include <unordered_map>

#include "fuse_bridge/session_context.hpp"
#include "fuse_bridge/writable/copy_thread.hpp"
#include "fuse_bridge/writable/writable_tree.hpp"

namespace firstlight {

/// A file system that can be changed: a writable_tree behind a FUSE session.
class writable_session final : public session_core {
 public:
  /// `parts.naming` is not used: the tree has its own.
  writable_session(session_parts from, std::shared_ptr<writable_tree> tree)
      : session_core(access::read_write, from.limits, from.wants_passthrough()),
        parts(std::move(from)),
        files(std::move(tree)),
        refused(parts.limits.refused_windows_max),
        backing(parts.opens, parts.image.counters) {}

  [[nodiscard]] const fuse_lowlevel_ops& operations() const override;
  void ended() override { parts.on_end(); }
  void interrupted(waiter_id waiter) override { parts.on_interrupt(waiter); }
  void refuse_waiting() override {
    refuse_all_reads(*parts.reads.parked);
    stop_copying();
  }
  std::vector<std::byte> leave_waiting() override {
    auto waiting = leave_all_reads(*parts.reads.parked);
    stop_copying();
    files->leave();
    return waiting;
  }
  /// What fails from now on may only have been broken off: the next process tries it again.
  [[nodiscard]] bool left() const { return parts.reads.parked->left(); }

  /// What an opened folder showed when it was opened or rewound: positions in it stay what they are while
  /// entries come and go.
  class listings {
   public:
    using entries = std::shared_ptr<const std::vector<listed_entry>>;
    std::uint64_t open() {
      const std::lock_guard lock(mutex_);
      return ++last_;
    }
    void close(std::uint64_t handle) {
      const std::lock_guard lock(mutex_);
      known_.erase(handle);
    }
    void set(std::uint64_t handle, entries now) {
      const std::lock_guard lock(mutex_);
      known_[handle] = std::move(now);
    }
    [[nodiscard]] entries get(std::uint64_t handle) const {
      const std::lock_guard lock(mutex_);
      const auto found = known_.find(handle);
      return found == known_.end() ? nullptr : found->second;
    }

   private:
    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, entries> known_;
    // Folders that were opened before a takeover have numbers of an earlier process.
    std::uint64_t last_ = std::uint64_t{std::random_device{}()} << 32U;
  };

  session_parts parts;
  std::shared_ptr<writable_tree> files;
  listings folders;
  refused_windows refused;
  copy_thread copier;  ///< promotes large files
  passthrough backing;

 private:
  void stop_copying() {
    files->stop_copying();
    copier.stop();
  }
};

}  // namespace firstlight
