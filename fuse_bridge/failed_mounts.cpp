#include "fuse_bridge/failed_mounts.hpp"

#include "fuse_bridge/mount_assembly.hpp"

namespace firstlight {

void failed_mounts::take(std::shared_ptr<mount_assembly> mount) {
  const std::lock_guard lock(mutex_);
  mounts_.push_back(std::move(mount));
}

failed_mounts::~failed_mounts() {
  for (const auto& mount : mounts_) static_cast<void>(mount->leave_if_used());
}

}  // namespace firstlight
