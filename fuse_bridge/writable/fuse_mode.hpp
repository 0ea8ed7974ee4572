#pragma once
#include "fuse_bridge/mounter.hpp"

namespace firstlight {

/// Mounts in mode `fuse`: one FUSE mount that can be written to, without overlayfs; without a writable layer
/// the read-only one of mode `overlay`. Errors: those of `mount_assembly::make`, `writable_tree::open`.
result<mounted> mount_in_fuse_mode(caf::actor_system& system, const mounter_parts& parts,
                                   const mount_request& request);

}  // namespace firstlight
