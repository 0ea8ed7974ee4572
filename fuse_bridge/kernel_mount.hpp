#pragma once
#include <filesystem>
#include <optional>
#include <vector>

#include "actors/instance_messages.hpp"
#include "fuse_bridge/session_core.hpp"

namespace firstlight {

/// Makes the folder of one mount's own, mode 0700, where none is yet. Errors: `not_found` when `target`, on
/// which the mount is to be seen, is not a directory; `io`.
result<void> make_private_folder(const std::filesystem::path& folder, const std::filesystem::path& target);

/// Mounts a FUSE file system whose requests come out of `device` (an open /dev/fuse) on an existing
/// directory: for all users, permissions checked by the kernel, suid and devices effective.
/// Errors: `io` with the kernel's reason.
result<void> mount_fuse(int device, session_core::access access, const std::filesystem::path& on);

/// Errors: `busy` when refused, `io`. Not being mounted is success.
result<void> unmount(const std::filesystem::path& mount_point, busy_mount when_busy);

/// Cuts a FUSE mount off from its daemon: every request, waiting or new, fails. Still mounted afterwards.
void cut_off(const std::filesystem::path& fuse_mount_point);

/// Shows the mount of `from` on `on` too.
result<void> bind_mount(const std::filesystem::path& from, const std::filesystem::path& on);

/// What lies below an overlayfs.
struct overlay_lower {
  std::filesystem::path tree;  ///< everything, or with `data` everything but the contents of files
  /// Folders that hold contents, the first one that has a file wins; looked into when a file is opened first.
  std::vector<std::filesystem::path> data{};
};

/// The layers as overlayfs takes them in its option lowerdir.
[[nodiscard]] std::string as_lowerdir(const overlay_lower& lower);

/// Mounts kernel overlayfs on `on`: `lower` is read, changes go to the writable layer, whose folders are
/// made when missing; without one the mount is read-only. Renamed directories and changed attributes copy no
/// contents. Errors: `io`, `invalid_argument` when the paths together are too long for the kernel,
/// `unsupported` when it has no overlayfs, or one without data-only layers (Linux 6.5).
result<void> mount_overlay(const overlay_lower& lower, const std::optional<writable_layer>& layer,
                           const std::filesystem::path& on);

/// Mounts the EROFS image in a file. Errors: `unsupported` when this kernel has no EROFS, cannot mount files
/// (Linux 6.12), or not from this file's file system; `io`.
result<void> mount_erofs(const std::filesystem::path& file, const std::filesystem::path& on);

}  // namespace firstlight
