#include "fuse_bridge/hybrid/hybrid_mode.hpp"

#include <spdlog/spdlog.h>

#include "actors/node/instance.hpp"
#include "fuse_bridge/kernel_mount.hpp"

namespace firstlight {
namespace {

content_mount_parts parts_of(const mounter_parts& parts) {
  return {parts.store, parts.hybrid->contents, parts.hybrid->early, parts.limits, parts.keeper};
}

}  // namespace

hybrid_mode::hybrid_mode(caf::actor_system& system, const mounter_parts& parts)
    : system_(system),
      parts_(parts),
      trees_(parts.hybrid->trees, parts.hybrid->images,
             parts.plans ? parts.plans : std::make_shared<erofs_plans>(erofs_limits{})),
      still_left_(parts.hybrid_left) {
  if (parts_.contents_left) contents_ = std::make_shared<content_mount>(system_, parts_of(parts_));
  if (still_left_ == 0) note_taken_over();
}

void hybrid_mode::note_taken_over() {
  if (still_left_ > 0 && --still_left_ > 0) return;
  if (const auto left = std::exchange(parts_.contents_left, {}))
    if (const auto going = contents_->go_on(*left); !going)
      spdlog::error("what mounts of an earlier process lack does not arrive: {}", to_string(going.error()));
  if (const auto tried = try_out(); !tried) {
    spdlog::info("no hybrid mounts: {}", tried.error().detail);
    if (tried.error().code == errc::unsupported) refused_ = tried.error();
  }
}

result<void> hybrid_mode::try_out() {
  if (auto ready = prepare(); !ready) return ready;
  const image_tree empty{
      .inodes = {{.type = file_type::directory, .permissions = 0755, .links = 2, .size = 4096}},
      .directories = {{}},
      .contents = {}};
  const auto toc = encode_toc({}, empty).and_then(
      [](std::vector<std::byte>&& bytes) { return toc_view::open(share(std::move(bytes))); });
  if (!toc) return tl::unexpected(toc.error());
  const auto tree = trees_.get(*toc, {});
  if (!tree) return tl::unexpected(tree.error());
  const auto folder = parts_.hybrid->images / "try";
  std::error_code ignored;  // left by a process that was killed right here; what is in the way shows below
  std::filesystem::remove_all(folder, ignored);
  if (auto made = make_folders(folder / "point"); !made) return made;
  const overlay_lower lower{(*tree)->point(), {parts_.hybrid->store, contents_->point()}};
  auto done = mount_overlay(lower, writable_layer{folder / "upper", folder / "work"}, folder / "point");
  if (done) done = unmount(folder / "point", busy_mount::detach);
  std::filesystem::remove_all(folder, ignored);
  return done;
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
  hybrid_place place{
      parts_.mounts_folder / request.name, request.target,     request.writable, parts_.hybrid->store,
      share(encode_mount_record(record)),  record.for_overlays};
  if (request.left) return hybrid_mount::take_over(contents_, std::move(place));
  auto tree = trees_.get(request.toc, record.image.toc);
  if (!tree) return tl::unexpected(tree.error());
  return hybrid_mount::make(contents_, std::move(*tree), std::move(place));
}

result<mounted> hybrid_mode::mount(const mount_request& request) {
  result<void> ready = refused_ && !request.left ? result<void>(tl::unexpected(*refused_)) : prepare();
  auto made = ready.and_then([&] { return assemble_around(request); });
  if (request.left) note_taken_over();
  return made;
}

// The actors come first: the kernel may ask from the moment of mounting.
result<mounted> hybrid_mode::assemble_around(const mount_request& request) {
  const read_source image{request.toc, std::make_shared<session_counters>(), request.recorder};
  // The instance needs its bridge, the bridge the member, and the member the instance.
  const auto member = std::make_shared<content_member>(content_member{request.record.image.toc, image, {}});
  const auto bridge = spawn_hybrid_bridge(system_, {contents_, member, arriving_, parts_.failed});
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
  mounted done{behind,
               mount_mode::hybrid,
               request.writable ? "overlay on EROFS, node store and FUSE"
                                : "read-only overlay on EROFS, node store and FUSE",
               {}};
  if (!request.record.for_overlays) return done;
  done.method = "EROFS, node store and FUSE, for overlays";
  done.lower = as_lowerdir({request.target, {parts_.hybrid->store, contents_->point()}});
  return done;
}

}  // namespace firstlight
