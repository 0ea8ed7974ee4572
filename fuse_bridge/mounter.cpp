#include "fuse_bridge/mounter.hpp"

#include "actors/errors.hpp"
#include "actors/node/instance.hpp"
#include "fuse_bridge/bridge_actor.hpp"

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
  if (request.mode != mount_mode::automatic && request.mode != mount_mode::overlay)
    return fail(errc::unsupported,
                "this version cannot mount in mode " + std::string(to_string(request.mode)));
  if (!request.target.is_absolute())
    return fail(errc::invalid_argument, request.target.string() + " is not an absolute path");
  return {};
}

session_parts session_of(const mounter_parts& parts, const mount_request& request, const bridge_parts& shared,
                         const instance& behind, const mount_bridge& bridge) {
  session_parts session;
  session.toc = request.toc;
  session.reads = shared.reads;
  session.on_park = [behind](const park_read& read) { caf::anon_send(behind, read); };
  session.on_interrupt = [bridge](waiter_id waiter) { caf::anon_send(bridge, read_interrupted{waiter}); };
  session.on_end = [behind] { caf::anon_send(behind, session_ended{}); };
  session.limits = parts.limits;
  return session;
}

// The actors come first: the kernel may ask from the moment of mounting.
result<mounted> make_mount(caf::actor_system& system, const mounter_parts& parts,
                           const mount_request& request) {
  if (auto valid = check(request); !valid) return tl::unexpected(valid.error());
  const bridge_parts shared{{parts.store, std::make_shared<session_counters>(),
                             std::make_shared<parked_reads>(parts.limits.parked_reads_max)},
                            parts.limits};
  const auto bridge = spawn_bridge(system, shared);
  const auto behind = spawn_instance(
      system, {request.toc, parts.store, request.source, bridge, shared.reads.counters, parts.limits});
  auto session = session_of(parts, request, shared, behind, bridge);
  auto record = request.record;
  record.mode = mount_mode::overlay;
  mount_place place{parts.mounts_folder / request.name, request.target, request.writable,
                    share(encode_mount_record(record))};
  auto assembly = request.left ? mount_assembly::take_over(std::move(session), std::move(place), parts.keeper,
                                                           *request.left)
                               : mount_assembly::make(std::move(session), std::move(place), parts.keeper);
  if (!assembly) {
    caf::anon_send_exit(behind, caf::exit_reason::user_shutdown);
    return tl::unexpected(assembly.error());
  }
  caf::anon_send(bridge, adopt_mount{std::move(*assembly), behind});
  return mounted{behind, mount_mode::overlay, request.writable ? "overlay on FUSE" : "read-only FUSE", {}};
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
