#pragma once
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "config/folder_walk_limits.hpp"
#include "model/result.hpp"

namespace firstlight {

using walk_visitor = std::function<void(const struct stat&)>;

/// Calls `visit` with the attributes of all that is in a folder, each folder before what is in it; links are
/// not followed. What goes meanwhile is passed over, and all the rest is visited all the same. Paths
/// may be longer than calls take; each level has a descriptor. Errors: as `from_errno` (posix_file.hpp),
/// `not_found` if the folder itself is not there, `limit_exceeded` below `depth_max`.
result<void> walk_folder(const std::filesystem::path& folder, const walk_visitor& visit,
                         const folder_walk_limits& limits = {});

}  // namespace firstlight
