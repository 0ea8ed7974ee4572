#pragma once
#include <memory>
#include <mutex>
#include <vector>

namespace firstlight {

class mount_assembly;

/// FAILED MOUNTS: mounts that programs use and whose bridges have failed while the node goes on. Their
/// sessions answer what needs no bridge. With the last one that has a share in this they are left to the next
/// process (mount_assembly::leave_if_used), or taken down if nobody uses them any more. Any thread.
class failed_mounts {
 public:
  failed_mounts() = default;
  ~failed_mounts();
  failed_mounts(const failed_mounts&) = delete;
  failed_mounts& operator=(const failed_mounts&) = delete;

  void take(std::shared_ptr<mount_assembly> mount);

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<mount_assembly>> mounts_;
};

}  // namespace firstlight
