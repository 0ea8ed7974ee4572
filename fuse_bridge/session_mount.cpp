#include "fuse_bridge/session_mount.hpp"

#include "actors/node/instance.hpp"
#include "fuse_bridge/bridge_actor.hpp"

namespace firstlight {
namespace {

session_parts session_of(const mounter_parts& parts, const std::string& name, read_source image,
                         read_service reads, const instance& behind, const mount_bridge& bridge) {
  session_parts session;
  session.image = std::move(image);
  session.reads = std::move(reads);
  session.on_park = [behind](const park_read& read) { caf::anon_send(behind, read); };
  session.on_interrupt = [bridge](waiter_id waiter) { caf::anon_send(bridge, read_interrupted{waiter}); };
  session.on_end = [behind] { caf::anon_send(behind, session_ended{}); };
  session.limits = parts.limits;
  session.opens = mount_place::open_files_of(parts.mounts_folder / name);
  return session;
}

}  // namespace

// The actors come first: the kernel may ask from the moment of mounting.
result<mounted> mount_session(caf::actor_system& system, const mounter_parts& parts,
                              const mount_request& request, const session_kind& kind) {
  const read_source image{request.toc, std::make_shared<session_counters>(), request.recorder};
  const read_service reads{parts.store, std::make_shared<parked_reads>(parts.limits.parked_reads_max)};
  const auto bridge = spawn_bridge(system, {reads, {}, parts.limits, parts.failed});
  const auto behind = spawn_instance(
      system, {request.toc, parts.store, request.source, bridge, image.counters, parts.limits});
  auto record = request.record;
  record.mode = kind.mode;
  mount_place place{parts.mounts_folder / request.name, request.target,
                    kind.overlaid ? request.writable : std::nullopt, share(encode_mount_record(record)),
                    record.for_overlays};
  auto assembly = kind.make_core(session_of(parts, request.name, image, reads, behind, bridge))
                      .and_then([&](std::unique_ptr<session_core> core) {
                        return request.left
                                   ? mount_assembly::take_over(std::move(core), std::move(place),
                                                               parts.keeper, *request.left)
                                   : mount_assembly::make(std::move(core), std::move(place), parts.keeper);
                      });
  if (!assembly) {
    caf::anon_send_exit(behind, caf::exit_reason::user_shutdown);
    return tl::unexpected(assembly.error());
  }
  caf::anon_send(bridge, adopt_mount{std::move(*assembly), behind});
  return mounted{behind, kind.mode, kind.description, {}};
}

}  // namespace firstlight
