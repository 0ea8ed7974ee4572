#pragma once
#include <memory>

#include "actors/interfaces.hpp"
#include "config/fuse_limits.hpp"
#include "fuse_bridge/failed_mounts.hpp"
#include "fuse_bridge/mount_assembly.hpp"
#include "fuse_bridge/read_path.hpp"

namespace firstlight {

/// The mount that a bridge holds from now on, and the instance behind it.
struct adopt_mount {
  std::shared_ptr<mount_assembly> assembly;
  instance behind;
};

/// A bridge as its maker sees it.
using mount_bridge = fuse_bridge::extend<caf::reacts_to<adopt_mount>>;

struct bridge_parts {
  read_service reads;
  /// Asked for a read whose mount was taken down while it waited: whether it can be served otherwise, and has
  /// been. May be empty.
  std::function<bool(const parked_request&)> serve_elsewhere;
  fuse_limits limits;
  std::shared_ptr<failed_mounts> failed{};  ///< takes the mount, if one is adopted and the bridge fails
};

/// Starts a FUSE BRIDGE on a thread of its own: it reads contents from disk and unmounts. When a daemon that
/// stops ends it while programs use the mount, this stays for the next process
/// (mount_assembly::leave_if_used). If it fails, the mount stays as well, but it is as if nothing more would
/// arrive until then: reads of what has not arrived get EIO. Where it cannot stay it is taken down, whoever
/// uses it.
mount_bridge spawn_bridge(caf::actor_system& system, bridge_parts parts);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::adopt_mount)
