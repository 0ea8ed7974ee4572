#pragma once
#include <cstdint>
#include <filesystem>

#include "model/result.hpp"

namespace firstlight {

/// Sets how much the kernel reads ahead on the FUSE mount at `mount_point`, in /sys/class/bdi. Files that are
/// open keep what they had. Sends the mount no request. Errors: `not_found` when nothing is mounted there any
/// more, `io`, `denied`.
result<void> set_read_ahead(const std::filesystem::path& mount_point, std::uint32_t bytes);

}  // namespace firstlight
