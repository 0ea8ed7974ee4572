#pragma once
#include <mutex>

#include "fuse_bridge/hybrid/content_mount.hpp"

namespace firstlight {

/// Keeps the read-ahead of a content mount at the block size while any image on it still arrives, so that a
/// program's read asks for little more than it needs, and large otherwise. Any thread.
class arriving_images {
 public:
  arriving_images(std::shared_ptr<content_mount> contents, const fuse_limits& limits)
      : contents_(std::move(contents)), limits_(limits) {}

  void begin() {
    const std::lock_guard lock(mutex_);
    if (arriving_++ == 0) contents_->set_read_ahead(default_block_bytes);
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (--arriving_ == 0) contents_->set_read_ahead(limits_.read_ahead_complete_bytes);
  }

 private:
  std::shared_ptr<content_mount> contents_;
  fuse_limits limits_;
  std::mutex mutex_;
  std::size_t arriving_ = 0;
};

}  // namespace firstlight
