#pragma once
#include <functional>

#include "fuse_bridge/mounter.hpp"
#include "fuse_bridge/session_context.hpp"

namespace firstlight {

/// A way to mount that has one FUSE session for one image.
struct session_kind {
  mount_mode mode = mount_mode::overlay;
  std::string description;  ///< of what stands on the target, for people
  bool overlaid = false;    ///< kernel overlayfs above, which does the writing
  std::function<result<std::unique_ptr<session_core>>(session_parts)> make_core;
};

/// Mounts so, or goes on with what an earlier process has mounted so. Blocks. Errors: those of mount_assembly
/// and of `make_core`.
result<mounted> mount_session(caf::actor_system& system, const mounter_parts& parts,
                              const mount_request& request, const session_kind& kind);

}  // namespace firstlight
