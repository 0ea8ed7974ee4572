#include "fuse_bridge/mount_assembly.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "fuse_bridge/kernel_mount.hpp"

namespace firstlight {

result<std::unique_ptr<mount_assembly>> mount_assembly::make(session_parts session, mount_place place) {
  std::unique_ptr<mount_assembly> assembly(new mount_assembly(std::move(place)));
  if (auto done = assembly->assemble(std::move(session)); !done) return tl::unexpected(done.error());
  return assembly;
}

result<void> mount_assembly::assemble(session_parts session) {
  std::error_code problem;
  if (!std::filesystem::is_directory(place_.target, problem))
    return fail(errc::not_found, place_.target.string() + " is not an existing directory");
  if (auto made = make_folders(place_.private_folder.parent_path()); !made) return made;
  if (mkdir(place_.private_folder.c_str(), 0700) != 0)
    return tl::unexpected(from_errno(errno, "make " + place_.private_folder.string()));
  folder_made_ = true;
  if (auto made = make_folders(fuse_point()); !made) return made;
  session.naming = place_.writable ? xattr_names::escaped_for_overlay : xattr_names::as_in_image;
  auto started = fuse_mount_session::start(std::move(session), fuse_point());
  if (!started) return tl::unexpected(started.error());
  session_ = std::move(*started);
  auto shown = place_.writable ? mount_overlay(fuse_point(), *place_.writable, place_.target)
                               : bind_mount(fuse_point(), place_.target);
  target_mounted_ = shown.has_value();
  return shown;
}

result<void> mount_assembly::take_down(busy_mount when_busy) {
  if (target_mounted_)
    if (auto gone = unmount(place_.target, when_busy); !gone) return gone;
  target_mounted_ = false;
  // Nobody but a curious administrator is inside the private mount.
  return unmount(fuse_point(), busy_mount::detach);
}

result<void> mount_assembly::set_read_ahead(std::uint32_t bytes) {
  struct statx mount_point {};
  // The device number is known without a request to ourselves.
  if (statx(AT_FDCWD, fuse_point().c_str(), AT_STATX_DONT_SYNC, 0, &mount_point) != 0)
    return tl::unexpected(from_errno(errno, "look at " + fuse_point().string()));
  const auto control = "/sys/class/bdi/" + std::to_string(mount_point.stx_dev_major) + ":" +
                       std::to_string(mount_point.stx_dev_minor) + "/read_ahead_kb";
  const auto file = open_at(AT_FDCWD, control, O_WRONLY);
  if (!file) return tl::unexpected(file.error());
  const auto text = std::to_string(bytes / 1024);
  return write_at(file->get(), std::as_bytes(std::span(text)), 0, control);
}

mount_assembly::~mount_assembly() {
  // Closing the device would not do while a forked child holds it too.
  if (session_ != nullptr) cut_off(fuse_point());
  if (session_ != nullptr)
    if (auto gone = take_down(busy_mount::detach); !gone)
      spdlog::warn("a mount stays behind until the next start: {}", gone.error().detail);
  session_.reset();
  if (!folder_made_) return;
  std::error_code problem;
  // One by one: a recursive removal would enter what could not be unmounted.
  std::filesystem::remove(fuse_point(), problem);
  if (!problem) std::filesystem::remove(place_.private_folder, problem);
  if (problem) spdlog::warn("remove {}: {}", place_.private_folder.string(), problem.message());
}

}  // namespace firstlight
