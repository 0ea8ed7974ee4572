#pragma once
#include <mutex>
#include <unordered_map>

#include "fuse_bridge/writable/node_number.hpp"

namespace firstlight {

/// THE FOLDERS THAT ARE OPEN. The kernel keeps one listing of a folder for all readers that are told to use
/// it. One of them who stands at a name that has gone since, when another one has had the listing made anew,
/// is told of the folder's end if the listing fills its last page to the byte (fuse_readdir_cached in Linux
/// 6.18). So one reader at a time may use it. Any thread.
class open_folders {
 public:
  /// @returns whether nobody has it open, but for readers from before a takeover
  bool open(node_number folder) {
    const std::lock_guard lock(mutex_);
    return ++readers_[folder] == 1;
  }
  void close(node_number folder) {
    const std::lock_guard lock(mutex_);
    const auto found = readers_.find(folder);
    if (found != readers_.end() && --found->second == 0) readers_.erase(found);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<node_number, std::uint32_t> readers_;
};

}  // namespace firstlight
