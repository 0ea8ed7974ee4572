#include "fuse_bridge/failed_mounts.hpp"

namespace firstlight {

void failed_mounts::take(std::shared_ptr<held_mount> mount) {
  const std::lock_guard lock(mutex_);
  const auto name = mount->name();
  mounts_.insert_or_assign(name, std::move(mount));
}

result<void> failed_mounts::take_down(const std::string& name, busy_mount when_busy) {
  const std::lock_guard lock(mutex_);
  const auto found = mounts_.find(name);
  if (found == mounts_.end()) return fail(errc::not_found, "no mount " + name + " that has failed is held");
  if (auto gone = found->second->take_down(when_busy); !gone) return gone;
  if (!found->second->alive()) mounts_.erase(found);
  return {};
}

failed_mounts::~failed_mounts() {
  for (const auto& [name, mount] : mounts_) static_cast<void>(mount->leave_if_used());
}

}  // namespace firstlight
