#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"

namespace firstlight {

/// One mount of this process's mount namespace.
struct mount_entry {
  std::string device;  ///< "major:minor"
  std::string point;
  std::string type;
  std::string options;  ///< of the file system, unescaped
};

/// Reads text in the format of /proc/self/mountinfo, in its order: a mount comes after what it is on.
/// Lines that are not understood are left out.
[[nodiscard]] std::vector<mount_entry> parse_mountinfo(std::string_view text);

/// Whether these options of an overlay file system name `layer`, written as in its lowerdir, as one of its
/// layers.
[[nodiscard]] bool has_layer(std::string_view options, std::string_view layer);

/// The mounts of this process. Errors: `io`.
result<std::vector<mount_entry>> read_mount_table();

/// Whether what is mounted at `point` (the latest) is also mounted in the mount namespace of another process,
/// elsewhere than here, as the root of a container is: the kernel would unmount it here all the same. At the
/// same places it is a copy that the kernel has made by itself, and takes down with the original. Processes
/// that this one may not look at count as seeing nothing.
[[nodiscard]] bool is_seen_elsewhere(const std::filesystem::path& point);

}  // namespace firstlight
