#pragma once
#include "fuse_bridge/session_context.hpp"
#include "fuse_bridge/writable/copy_thread.hpp"
#include "fuse_bridge/writable/open_folders.hpp"
#include "fuse_bridge/writable/open_writers.hpp"
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

  session_parts parts;
  std::shared_ptr<writable_tree> files;
  open_folders folders;
  open_writers writers;
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
