#pragma once
#include <map>
#include <memory>
#include <mutex>

#include "fuse_bridge/held_mount.hpp"

namespace firstlight {

/// FAILED MOUNTS: mounts that programs use and whose bridges have failed while the node goes on. What needs
/// no bridge is still answered. With the last one that has a share in this they are left to the next process
/// (held_mount::leave_if_used), or taken down if nobody uses them any more. Any thread.
class failed_mounts {
 public:
  failed_mounts() = default;
  ~failed_mounts();
  failed_mounts(const failed_mounts&) = delete;
  failed_mounts& operator=(const failed_mounts&) = delete;

  void take(std::shared_ptr<held_mount> mount);

  /// Takes the mount of that name away; what is left of it goes with the first call after its last user.
  /// Errors: `busy`, `io`: the target is still there; `not_found`: it has gone, or has not been taken yet.
  result<void> take_down(const std::string& name, busy_mount when_busy);

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<held_mount>> mounts_;
};

}  // namespace firstlight
