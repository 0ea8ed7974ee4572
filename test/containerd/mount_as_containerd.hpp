#pragma once
#include <filesystem>

#include "schemas/containerd/mount.pb.h"

namespace firstlight {

/// Carries a mount out as containerd does (core/mount/mount_linux.go): long options of an overlay are
/// shortened by the folder that all lower ones lie in, which a thread of its own goes to. @returns errno, or
/// 0
[[nodiscard]] int mount_as_containerd(const containerd::types::Mount& mount,
                                      const std::filesystem::path& point);

}  // namespace firstlight
