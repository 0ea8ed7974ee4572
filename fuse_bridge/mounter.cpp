#include "fuse_bridge/mounter.hpp"

#include "actors/errors.hpp"
#include "fuse_bridge/overlay_mode.hpp"

namespace firstlight {
namespace {

struct mounter_state {
  mounter_parts parts;
};
using self_pointer = mounter::stateful_pointer<mounter_state>;

result<void> check(const mount_request& request) {
  if (request.name.empty() || request.name.size() > 255 || request.name == "." || request.name == ".." ||
      request.name.find('/') != std::string::npos)
    return fail(errc::invalid_argument, "'" + request.name + "' is no name for a mount");
  if (!request.target.is_absolute())
    return fail(errc::invalid_argument, request.target.string() + " is not an absolute path");
  return {};
}

result<mounted> make_mount(caf::actor_system& system, const mounter_parts& parts,
                           const mount_request& request) {
  if (auto valid = check(request); !valid) return tl::unexpected(valid.error());
  switch (request.mode) {
    case mount_mode::automatic:
    case mount_mode::overlay:
      return mount_in_overlay_mode(system, parts, request);
    case mount_mode::hybrid:
    case mount_mode::fuse:
      break;
  }
  return fail(errc::unsupported, "this version cannot mount in mode " + std::string(to_string(request.mode)));
}

mounter::behavior_type run_mounter(self_pointer self, mounter_parts parts) {
  self->state.parts = std::move(parts);
  return {[self](const mount_request& request) -> caf::result<mounted> {
    auto made = make_mount(self->system(), self->state.parts, request);
    if (!made) return to_caf(made.error());
    return std::move(*made);
  }};
}

}  // namespace

mounter spawn_mounter(caf::actor_system& system, mounter_parts parts) {
  return system.spawn<caf::detached>(run_mounter, std::move(parts));
}

}  // namespace firstlight
