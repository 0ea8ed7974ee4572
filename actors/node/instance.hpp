#pragma once
#include "actors/interfaces.hpp"
#include "config/fuse_limits.hpp"
#include "storage/content_store.hpp"

namespace firstlight {

/// What one file-system instance works with. `store` outlives the instance.
struct instance_parts {
  std::shared_ptr<const toc_view> toc;
  const content_store* store = nullptr;
  receiver source;  ///< may be invalid: the image is complete
  fuse_bridge bridge;
  std::shared_ptr<const session_counters> counters;
  fuse_limits limits;
};

/// Starts a FILE-SYSTEM INSTANCE: the state of one mount. It parks readers, asks for what they need and
/// lets them go. It ends when the kernel has ended the session, or, on an exit message, after it has
/// failed all waiters and its bridge has taken the mounts down.
instance spawn_instance(caf::actor_system& system, instance_parts parts);

}  // namespace firstlight
