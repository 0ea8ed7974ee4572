#pragma once
#include "config/fuse_limits.hpp"
#include "fuse_bridge/hybrid/content_directory.hpp"
#include "fuse_bridge/session_core.hpp"

namespace firstlight {

/// What the content session answers from. The calls are made on its threads and must not block.
struct content_session_parts {
  std::shared_ptr<const content_directory> directory;
  read_service reads;
  std::function<void(waiter_id)> on_interrupt;  ///< perhaps before the request is parked, perhaps twice
  std::function<void()> on_end;                 ///< the kernel has ended the session; once
  fuse_limits limits;
};

/// A read-only file system with one file for each content of the mounted images, named as in the node's
/// content store (storage/content_name.hpp). Files are looked up, never listed; what no mounted image has is
/// not there. It lies at the bottom of overlayfs' data-only layers: what reaches it has not arrived yet, or
/// had not when it was opened first.
class content_session final : public session_core {
 public:
  explicit content_session(content_session_parts from)
      : session_core(access::read_only, always_repeated(from.limits), false),
        parts(std::move(from)),
        refused(parts.limits.refused_windows_max) {}

  [[nodiscard]] const fuse_lowlevel_ops& operations() const override;
  void ended() override { parts.on_end(); }
  void interrupted(waiter_id waiter) override { parts.on_interrupt(waiter); }
  void refuse_waiting() override { refuse_all_reads(*parts.reads.parked); }
  std::vector<std::byte> leave_waiting() override { return leave_all_reads(*parts.reads.parked); }

  content_session_parts parts;
  refused_windows refused;

 private:
  /// Mode hybrid wants a kernel that repeats anyway.
  static fuse_limits always_repeated(fuse_limits limits) {
    limits.resend = true;
    return limits;
  }
};

}  // namespace firstlight
