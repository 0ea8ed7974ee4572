#pragma once
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "model/result.hpp"

namespace firstlight {

/// Detaches what a killed daemon has left: every mount below `mounts_folder`, every overlay whose lower
/// layer is below it and every bind mount of one of its FUSE mounts; then empties the folder. What belongs to
/// the folders named `kept` in it stays. Call it once before the first mount.
/// @returns the mount points that were detached. Errors: `io` with the first mount that would not go;
/// the others have been tried.
result<std::vector<std::string>> clean_stale_mounts(const std::filesystem::path& mounts_folder,
                                                    const std::set<std::string>& kept = {});

/// Whether `target`, a path without links, shows a FUSE mount below `private_folder`, itself or as an
/// overlay's lower layer. Errors: `io`.
result<bool> shows(const std::filesystem::path& target, const std::filesystem::path& private_folder);

}  // namespace firstlight
