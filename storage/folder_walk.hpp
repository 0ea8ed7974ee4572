#pragma once
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "model/result.hpp"

namespace firstlight {

using walk_visitor = std::function<void(const struct stat&)>;

/// Calls `visit` with the attributes of all that is in a folder, each folder before what is in it; links are
/// not followed. What goes meanwhile is passed over, and all the rest is visited all the same. However deep
/// it is: paths may be longer than calls take. Errors: as `from_errno` (posix_file.hpp), `not_found` if the
/// folder itself is not there.
result<void> walk_folder(const std::filesystem::path& folder, const walk_visitor& visit);

}  // namespace firstlight
