#include "fuse_bridge/overlay_mode.hpp"

#include "fuse_bridge/session_mount.hpp"

namespace firstlight {

result<mounted> mount_in_overlay_mode(caf::actor_system& system, const mounter_parts& parts,
                                      const mount_request& request) {
  const bool overlaid = request.writable.has_value();
  const auto make_core = [overlaid](session_parts session) -> result<std::unique_ptr<session_core>> {
    session.naming = overlaid ? xattr_names::escaped_for_overlay : xattr_names::as_in_image;
    return std::make_unique<session_context>(std::move(session));
  };
  return mount_session(system, parts, request,
                       {.mode = mount_mode::overlay,
                        .description = overlaid ? "overlay on FUSE" : "read-only FUSE",
                        .overlaid = overlaid,
                        .make_core = make_core});
}

}  // namespace firstlight
