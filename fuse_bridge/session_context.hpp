#pragma once
#include <functional>
#include <memory>

#include "actors/instance_messages.hpp"
#include "config/fuse_limits.hpp"
#include "fuse_bridge/attributes.hpp"
#include "fuse_bridge/parked_reads.hpp"
#include "fuse_bridge/refused_windows.hpp"
#include "storage/content_store.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// What one FUSE session answers from. The calls are made on its loop threads and must not block.
struct session_parts {
  std::shared_ptr<const toc_view> toc;
  const content_store* store = nullptr;
  std::shared_ptr<session_counters> counters;
  std::shared_ptr<parked_reads> parked;
  std::function<void(const park_read&)> on_park;  ///< the request is in `parked` already
  std::function<void(waiter_id)> on_interrupt;    ///< perhaps before `on_park`, perhaps twice
  std::function<void()> on_end;                   ///< the kernel has ended the session; once
  xattr_names naming = xattr_names::as_in_image;
  fuse_limits limits;
};

/// The session's user data in libfuse: the parts, and what is derived from them once.
struct session_context {
  session_context(session_parts from, file_descriptor stop_event)
      : parts(std::move(from)),
        image_has_xattrs(has_xattrs(*parts.toc)),
        stop(std::move(stop_event)),
        refused(parts.limits.refused_windows_max) {}
  session_parts parts;
  bool image_has_xattrs;
  file_descriptor stop;              ///< an eventfd: readable once the session's threads must end
  std::atomic<bool> greeted{false};  ///< the kernel's first message has been read
  std::mutex init_mutex;             ///< guards `init`
  shared_bytes init;       ///< that message, if the kernel can repeat to another process what it asked
  bool replaying = false;  ///< it is answered once more, for this process only
  refused_windows refused;
};

}  // namespace firstlight
