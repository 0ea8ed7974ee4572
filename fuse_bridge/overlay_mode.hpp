#pragma once
#include "fuse_bridge/mounter.hpp"

namespace firstlight {

/// Mounts in mode `overlay`: one FUSE mount of the image, and above it kernel overlayfs, or for a read-only
/// view a bind mount. Blocks. Errors: those of mount_assembly.
result<mounted> mount_in_overlay_mode(caf::actor_system& system, const mounter_parts& parts,
                                      const mount_request& request);

}  // namespace firstlight
