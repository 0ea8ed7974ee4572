#include "fuse_bridge/hybrid/hybrid_mode.hpp"

#include <spdlog/spdlog.h>

#include "actors/node/instance.hpp"

namespace firstlight {
namespace {

content_mount_parts parts_of(const mounter_parts& parts) {
  return {parts.store, parts.hybrid->contents, parts.limits, parts.keeper};
}

}  // namespace

hybrid_mode::hybrid_mode(caf::actor_system& system, const mounter_parts& parts)
    : system_(system),
      parts_(parts),
      trees_(parts.hybrid->trees, parts.hybrid->images, parts.erofs),
      still_left_(parts.hybrid_left) {
  if (parts_.contents_left) contents_ = std::make_shared<content_mount>(system_, parts_of(parts_));
  if (still_left_ == 0) note_taken_over();
}

void hybrid_mode::note_taken_over() {
  if (still_left_ > 0 && --still_left_ > 0) return;
  if (!parts_.contents_left) return;
  const auto left = std::exchange(parts_.contents_left, {});
  if (const auto going = contents_->go_on(*left); !going)
    spdlog::error("what mounts of an earlier process lack does not arrive: {}", to_string(going.error()));
}

result<void> hybrid_mode::prepare() {
  if (watch_ == nullptr) {
    auto watch = unmount_watch::make();
    if (!watch) return tl::unexpected(watch.error());
    watch_ = std::move(*watch);
  }
  if (contents_ == nullptr || !contents_->alive()) {
    arriving_.reset();
    contents_.reset();  // before the next one is mounted on the same point
    auto made = std::make_shared<content_mount>(system_, parts_of(parts_));
    if (auto started = made->start(); !started) return started;
    contents_ = std::move(made);
  }
  if (arriving_ == nullptr) arriving_ = std::make_shared<arriving_images>(contents_, parts_.limits);
  return {};
}

result<std::unique_ptr<hybrid_mount>> hybrid_mode::assemble(const mount_request& request) {
  auto record = request.record;
  record.mode = mount_mode::hybrid;
  hybrid_place place{parts_.mounts_folder / request.name, request.target, request.writable,
                     parts_.hybrid->store, share(encode_mount_record(record))};
  if (request.left) return hybrid_mount::take_over(contents_, std::move(place));
  auto tree = trees_.get(request.toc, record.image.toc);
  if (!tree) return tl::unexpected(tree.error());
  return hybrid_mount::make(contents_, std::move(*tree), std::move(place));
}

result<mounted> hybrid_mode::mount(const mount_request& request) {
  auto made = prepare().and_then([&] { return assemble_around(request); });
  if (request.left) note_taken_over();
  return made;
}

// The actors come first: the kernel may ask from the moment of mounting.
result<mounted> hybrid_mode::assemble_around(const mount_request& request) {
  const read_source image{request.toc, std::make_shared<session_counters>()};
  // The instance needs its bridge, the bridge the member, and the member the instance.
  const auto member = std::make_shared<content_member>(content_member{request.record.image.toc, image, {}});
  const auto bridge = spawn_hybrid_bridge(system_, {contents_, member, arriving_});
  const auto behind = spawn_instance(
      system_, {request.toc, parts_.store, request.source, bridge, image.counters, parts_.limits});
  auto mount = contents_->join(member, behind).and_then([&] { return assemble(request); });
  if (!mount) {
    caf::anon_send_exit(behind, caf::exit_reason::user_shutdown);
    return tl::unexpected(mount.error());
  }
  std::shared_ptr<hybrid_mount> made = std::move(*mount);
  auto watched = made->watch(*watch_, [behind] { caf::anon_send(behind, session_ended{}); });
  caf::anon_send(bridge, adopt_hybrid{std::move(made)});
  if (!watched) {
    caf::anon_send_exit(behind, caf::exit_reason::user_shutdown);
    return tl::unexpected(watched.error());
  }
  return mounted{behind,
                 mount_mode::hybrid,
                 request.writable ? "overlay on EROFS, node store and FUSE"
                                  : "read-only overlay on EROFS, node store and FUSE",
                 {}};
}

}  // namespace firstlight
