#pragma once
#include <filesystem>

#include "model/result.hpp"

namespace firstlight {

/// Gives a folder the owner, mode, extended attributes and times of another, but for overlayfs' own
/// attributes: the merged root of an overlay shows those of its upper folder. Errors: as `from_errno`
/// (posix_file.hpp).
result<void> copy_folder_attributes(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace firstlight
