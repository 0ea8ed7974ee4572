#pragma once
#include "fuse_bridge/failed_mounts.hpp"
#include "fuse_bridge/hybrid/arriving_images.hpp"
#include "fuse_bridge/hybrid/hybrid_mount.hpp"

namespace firstlight {

/// The mount that a hybrid bridge holds from now on.
struct adopt_hybrid {
  std::shared_ptr<hybrid_mount> mount;
};

using hybrid_bridge = fuse_bridge::extend<caf::reacts_to<adopt_hybrid>>;

struct hybrid_bridge_parts {
  std::shared_ptr<content_mount> contents;
  std::shared_ptr<const content_member> member;  ///< of `contents`: leaves it at the end
  std::shared_ptr<arriving_images> arriving;
  std::shared_ptr<failed_mounts> failed{};  ///< takes a used mount if the bridge fails; may be none
};

/// Starts the FUSE BRIDGE of one mount in mode `hybrid`, on a thread of its own: it unmounts. Reads go
/// through the content mount's own bridge. When it ends while programs use the mount, this stays for the next
/// process (hybrid_mount::leave_if_used). If it fails, it is as if nothing more would arrive until then:
/// reads of what has not arrived get EIO, unless another mount waits for the same.
hybrid_bridge spawn_hybrid_bridge(caf::actor_system& system, hybrid_bridge_parts parts);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::adopt_hybrid)
