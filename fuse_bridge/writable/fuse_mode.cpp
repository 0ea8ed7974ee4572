#include "fuse_bridge/writable/fuse_mode.hpp"

#include "fuse_bridge/session_mount.hpp"
#include "fuse_bridge/writable/writable_session.hpp"
#include "storage/early_name.hpp"

namespace firstlight {

result<mounted> mount_in_fuse_mode(caf::actor_system& system, const mounter_parts& parts,
                                   const mount_request& request) {
  const auto make_core = [&](session_parts session) -> result<std::unique_ptr<session_core>> {
    if (!request.writable) return std::make_unique<session_context>(std::move(session));
    return writable_tree::open(request.toc, mark_of(request.record.image.toc), *parts.store,
                               *request.writable, parts.limits.copied_at_once_bytes_max,
                               request.left ? session_life::taken_over : session_life::fresh)
        .map([&](std::shared_ptr<writable_tree> tree) -> std::unique_ptr<session_core> {
          return std::make_unique<writable_session>(std::move(session), std::move(tree));
        });
  };
  return mount_session(system, parts, request,
                       {.mode = mount_mode::fuse,
                        .description = request.writable ? "writable FUSE" : "read-only FUSE",
                        .overlaid = false,
                        .make_core = make_core});
}

}  // namespace firstlight
