#include "fuse_bridge/mounter.hpp"

#include <spdlog/spdlog.h>

#include "actors/errors.hpp"
#include "actors/niceness.hpp"
#include "fuse_bridge/hybrid/hybrid_mode.hpp"
#include "fuse_bridge/kernel_mount.hpp"
#include "fuse_bridge/overlay_mode.hpp"
#include "fuse_bridge/tracing/open_watch.hpp"
#include "fuse_bridge/writable/fuse_mode.hpp"

namespace firstlight {
namespace {

struct mounter_state {
  mounter_parts parts;
  std::unique_ptr<hybrid_mode> hybrid;
  std::unique_ptr<open_watch> opens;  ///< none where the kernel cannot tell
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

result<mounted> mount_hybrid(mounter_state& state, const mount_request& request) {
  if (state.hybrid == nullptr) return fail(errc::unsupported, "this node has no place for hybrid mounts");
  return state.hybrid->mount(request);
}

/// Before the first mount, which somebody waits for.
void start_watch(mounter_state& state) {
  auto started = open_watch::start();
  if (started)
    state.opens = std::move(*started);
  else
    spdlog::warn("opens are not recorded: {}", to_string(started.error()));
}

/// What programs open is noted beside what they read through FUSE. Without it a trace has less to tell.
void watch_opens(mounter_state& state, const mount_request& request, const std::string& lower) {
  if (!request.recorder || state.opens == nullptr) return;
  const auto layer = request.record.for_overlays ? lower.substr(0, lower.find("::")) : std::string{};
  state.opens->watch({request.target, layer, request.toc}, request.recorder,
                     [name = request.name](const error& why) {
                       spdlog::warn("opens on mount {} are not recorded: {}", name, to_string(why));
                     });
}

/// Whether the kernel, the store's disk or this image does not suit: EROFS has limits of its own.
bool needs_another_mode(errc why) {
  return why == errc::unsupported || why == errc::limit_exceeded || why == errc::busy;
}

result<mounted> mount_best(caf::actor_system& system, mounter_state& state, const mount_request& request) {
  auto hybrid = mount_hybrid(state, request);
  if (hybrid || !needs_another_mode(hybrid.error().code)) return hybrid;
  auto overlay = mount_in_overlay_mode(system, state.parts, request);
  if (overlay) overlay->fallback = "not hybrid: " + hybrid.error().detail;
  if (overlay || !needs_another_mode(overlay.error().code)) return overlay;
  auto fuse = mount_in_fuse_mode(system, state.parts, request);
  if (fuse) fuse->fallback = "neither hybrid nor overlay: " + overlay.error().detail;
  return fuse;
}

/// Slow, but nothing escapes the recorder, in either mode.
result<mounted> mount_for_recording(caf::actor_system& system, const mounter_state& state,
                                    const mount_request& request) {
  auto parts = state.parts;
  parts.limits.passthrough = false;
  parts.limits.read_ahead_complete_bytes = default_block_bytes;
  auto overlay = mount_in_overlay_mode(system, parts, request);
  if (overlay || !needs_another_mode(overlay.error().code)) return overlay;
  auto fuse = mount_in_fuse_mode(system, parts, request);
  if (fuse) fuse->fallback = "not overlay: " + overlay.error().detail;
  return fuse;
}

result<mounted> make_mount(caf::actor_system& system, mounter_state& state, const mount_request& request) {
  if (auto valid = check(request); !valid) return tl::unexpected(valid.error());
  if (request.record_blocks) return mount_for_recording(system, state, request);
  switch (request.mode) {
    case mount_mode::automatic:
      return mount_best(system, state, request);
    case mount_mode::hybrid:
      return mount_hybrid(state, request);
    case mount_mode::overlay:
      return mount_in_overlay_mode(system, state.parts, request);
    case mount_mode::fuse:
      return mount_in_fuse_mode(system, state.parts, request);
  }
  return fail(errc::invalid_argument, "there is no mode " + std::string(to_string(request.mode)));
}

mounter::behavior_type run_mounter(self_pointer self, mounter_parts parts) {
  change_niceness(urgent_niceness);
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  self->state.parts = std::move(parts);
  if (self->state.parts.hybrid)
    self->state.hybrid = std::make_unique<hybrid_mode>(self->system(), self->state.parts);
  self->state.parts.contents_left.reset();
  if (self->state.parts.watch_opens) start_watch(self->state);
  return {[self](const mount_request& request) -> caf::result<mounted> {
            // Before the mount: from then on others may read what it has too.
            if (request.recorder && self->state.opens) request.recorder->follow_opens();
            auto made = make_mount(self->system(), self->state, request);
            if (!made) return to_caf(made.error());
            if (request.record.for_overlays && made->lower.empty())
              made->lower = as_lowerdir({request.target});
            watch_opens(self->state, request, made->lower);
            return std::move(*made);
          },
          [self](const unmount_failed& asked) -> caf::result<unmounted> {
            const auto gone = self->state.parts.failed->take_down(asked.name, asked.when_busy);
            if (!gone) return to_caf(gone.error());
            return unmounted{};
          }};
}

}  // namespace

mounter spawn_mounter(caf::actor_system& system, mounter_parts parts) {
  return system.spawn<caf::detached>(run_mounter, std::move(parts));
}

}  // namespace firstlight
