#pragma once
#include <functional>

#include "config/fuse_limits.hpp"
#include "fuse_bridge/attributes.hpp"
#include "fuse_bridge/passthrough.hpp"
#include "fuse_bridge/read_path.hpp"
#include "fuse_bridge/session_core.hpp"

namespace firstlight {

/// What one FUSE session answers from. The calls are made on its loop threads and must not block.
struct session_parts {
  read_source image;
  read_service reads;
  park_listener on_park;                        ///< the request is in `reads.parked` already
  std::function<void(waiter_id)> on_interrupt;  ///< perhaps before `on_park`, perhaps twice
  std::function<void()> on_end;                 ///< the kernel has ended the session; once
  xattr_names naming = xattr_names::as_in_image;
  fuse_limits limits;
  std::filesystem::path opens{};  ///< table of open files, for passthrough; empty: none

  /// A session goes on as it began, whatever is set now: the kernel opens no file in two ways at one time.
  [[nodiscard]] bool wants_passthrough() const {
    std::error_code unknown;
    return !opens.empty() && (limits.passthrough || std::filesystem::exists(opens, unknown) ||
                              std::filesystem::exists(backing_files::earlier_table(opens), unknown));
  }
};

/// A read-only file system over one TOC: the parts, and what is derived from them once.
class session_context final : public session_core {
 public:
  explicit session_context(session_parts from)
      : session_core(access::read_only, from.limits, from.wants_passthrough()),
        parts(std::move(from)),
        directories(parts.image.toc),
        image_has_xattrs(parts.image.toc->xattribute_count() != 0),
        refused(parts.limits.refused_windows_max),
        backing(parts.opens, parts.image.counters, parts.limits.passthrough_bytes_min) {}

  [[nodiscard]] const fuse_lowlevel_ops& operations() const override;
  void ended() override { parts.on_end(); }
  void interrupted(waiter_id waiter) override { parts.on_interrupt(waiter); }
  void refuse_waiting() override { refuse_all_reads(*parts.reads.parked); }
  std::vector<std::byte> leave_waiting() override { return leave_all_reads(*parts.reads.parked); }

  session_parts parts;
  directory_sizes directories;
  bool image_has_xattrs;
  refused_windows refused;
  passthrough backing;
};

}  // namespace firstlight
