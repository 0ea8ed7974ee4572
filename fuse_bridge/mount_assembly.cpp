#include "fuse_bridge/mount_assembly.hpp"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include "fuse_bridge/kernel_mount.hpp"
#include "fuse_bridge/mount_table.hpp"
#include "fuse_bridge/read_ahead.hpp"
#include "fuse_bridge/stale_mounts.hpp"
#include "storage/file_io.hpp"

namespace firstlight {
result<std::unique_ptr<mount_assembly>> mount_assembly::make(std::unique_ptr<session_core> core,
                                                             mount_place place,
                                                             std::shared_ptr<mount_keeper> keeper) {
  std::unique_ptr<mount_assembly> assembly(new mount_assembly(std::move(place), std::move(keeper)));
  if (auto done = assembly->assemble(std::move(core)); !done) return tl::unexpected(done.error());
  return assembly;
}

result<std::unique_ptr<mount_assembly>> mount_assembly::take_over(std::unique_ptr<session_core> core,
                                                                  mount_place place,
                                                                  std::shared_ptr<mount_keeper> keeper,
                                                                  const kept_session& left) {
  std::unique_ptr<mount_assembly> assembly(new mount_assembly(std::move(place), std::move(keeper)));
  if (auto done = assembly->adopt(std::move(core), left); !done) return tl::unexpected(done.error());
  return assembly;
}

result<void> mount_assembly::assemble(std::unique_ptr<session_core> core) {
  if (auto made = make_private_folder(place_.private_folder, place_.target); !made) return made;
  folder_made_ = true;
  if (auto made = make_folders(fuse_point()); !made) return made;
  auto started = fuse_mount_session::start(std::move(core), fuse_point());
  if (!started) return tl::unexpected(started.error());
  session_ = std::move(*started);
  fuse_mounted_ = true;
  auto shown = place_.writable ? mount_overlay({fuse_point()}, place_.writable, place_.target)
                               : bind_mount(fuse_point(), place_.target);
  target_mounted_ = shown.has_value();
  if (shown) let_keep();
  return shown;
}

void mount_assembly::let_keep() {
  if (!keeper_) return;
  // Until the kernel has its first answer nobody could go on.
  struct stat root {};
  stat(fuse_point().c_str(), &root);
  const auto handover = session_->what_to_keep();
  if (!handover.after_crash) return;
  kept_ = keeper_->keep(place_.name(), place_.record, handover.init, handover.device).has_value();
}

result<void> mount_assembly::adopt(std::unique_ptr<session_core> core, const kept_session& left) {
  folder_made_ = fuse_mounted_ = target_mounted_ = true;
  // Somebody may have unmounted it meanwhile, or mounted something else there.
  const auto shown = shows(place_.target, place_.private_folder);
  if (!shown) return tl::unexpected(shown.error());
  target_mounted_ = *shown;
  auto kept = left;
  const auto told = mount_place::unanswered_of(place_.private_folder);
  if (auto unanswered = map_file(told)) {
    kept.unanswered = std::move(*unanswered);
    // From here on only this process knows what the kernel waits for: if it dies the mount has to end.
    if (keeper_) keeper_->drop(place_.name());
    std::error_code problem;
    if (!std::filesystem::remove(told, problem))
      spdlog::warn("remove {}: {}", told.string(), problem.message());
  }
  auto going = fuse_mount_session::take_over(std::move(core), kept);
  if (!going) return tl::unexpected(going.error());
  session_ = std::move(*going);
  let_keep();  // the keeper learns that it is in good hands
  return {};
}

result<void> mount_assembly::take_down(busy_mount when_busy) {
  if (target_mounted_)
    if (auto gone = unmount(place_.target, when_busy); !gone) return gone;
  target_mounted_ = false;
  // Nobody but a curious administrator is inside the private mount.
  return unmount(fuse_point(), busy_mount::detach);
}

bool mount_assembly::alive() const {
  return session_->alive();
}

result<void> mount_assembly::set_read_ahead(std::uint32_t bytes) {
  return firstlight::set_read_ahead(fuse_point(), bytes);
}

bool mount_assembly::can_be_left() {
  if (!keeper_ || !keeper_->problem().empty()) return false;
  const auto handover = session_->what_to_keep();
  return handover.after_crash ? kept_ : handover.after_leave;
}

bool mount_assembly::take_down_unless_used() {
  if (!can_be_left()) return false;
  // What cannot be unmounted is in use. So is what has been, and that the kernel has not ended. A container
  // with a mount namespace of its own does not make the target busy.
  const bool known_in_use = target_mounted_ && (place_.for_overlays || is_seen_elsewhere(place_.target));
  if (!known_in_use) static_cast<void>(take_down(busy_mount::refuse));
  return session_->alive();
}

bool mount_assembly::leave_if_used() {
  left_ = left_ || take_down_unless_used();
  return left_;
}

result<void> mount_assembly::hand_over() {
  const auto handover = session_->what_to_keep();
  const auto told = session_->leave_behind();
  if (handover.after_crash) return {};  // the keeper has it, and the kernel repeats
  auto written = write_file(mount_place::unanswered_of(place_.private_folder), told);
  return written.and_then(
      [&] { return keeper_->keep(place_.name(), place_.record, handover.init, handover.device); });
}

mount_assembly::~mount_assembly() {
  if (left_) {
    const auto handed = hand_over();
    if (handed) return;
    spdlog::error("mount {} ends: {}", place_.name(), to_string(handed.error()));
  }
  // Closing the device would not do while a forked child holds it too.
  if (fuse_mounted_) cut_off(fuse_point());
  if (fuse_mounted_)
    if (auto gone = take_down(busy_mount::detach); !gone)
      spdlog::warn("a mount stays behind until the next start: {}", gone.error().detail);
  session_.reset();
  if (keeper_) keeper_->drop(place_.name());
  if (!folder_made_) return;
  std::error_code problem;
  // One by one: a recursive removal would enter what could not be unmounted.
  mount_place::remove_notes_of(place_.private_folder, problem);
  if (!problem) std::filesystem::remove(fuse_point(), problem);
  if (!problem) std::filesystem::remove(place_.private_folder, problem);
  if (problem) spdlog::warn("remove {}: {}", place_.private_folder.string(), problem.message());
}

}  // namespace firstlight
