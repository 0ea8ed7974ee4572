#pragma once
#include <mutex>
#include <unordered_map>

#include "fuse_bridge/writable/node_number.hpp"

namespace firstlight {

/// THE FILES THAT ARE OPEN FOR WRITING, but for those from before a takeover. A program may have written to a
/// shared mapping of one, which the kernel tells when the mapping or the file is closed. Any thread.
class open_writers {
 public:
  void open(node_number file) {
    const std::lock_guard lock(mutex_);
    ++writers_[file];
  }
  /// Nothing happens if it is not open.
  void close(node_number file) {
    const std::lock_guard lock(mutex_);
    const auto found = writers_.find(file);
    if (found != writers_.end() && --found->second == 0) writers_.erase(found);
  }
  [[nodiscard]] bool any(node_number file) const {
    const std::lock_guard lock(mutex_);
    return writers_.contains(file);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<node_number, std::uint32_t> writers_;
};

}  // namespace firstlight
