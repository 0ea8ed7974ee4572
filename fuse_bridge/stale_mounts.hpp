#pragma once
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "actors/kept_mount.hpp"
#include "model/result.hpp"

namespace firstlight {

/// Detaches what a killed daemon has left: every mount below `mounts_folder`, every overlay whose lower
/// layer is below it and every bind mount of one of its FUSE mounts; then empties the folder. What belongs to
/// the folders named `kept` in it stays. Call it once before the first mount.
/// @returns the mount points that were detached. Errors: `io` with the first mount that would not go;
/// the others have been tried.
result<std::vector<std::string>> clean_stale_mounts(const std::filesystem::path& mounts_folder,
                                                    const std::set<std::string>& kept = {});

/// The same for mode `hybrid`: every overlay above an EROFS mount below `trees` that is not on one of `kept`,
/// these EROFS mounts (overlays that stay do not need them by name), and what is mounted on `contents`,
/// unless it is to stay.
enum class content_mount_is : std::uint8_t { stale, kept };
result<std::vector<std::string>> clean_stale_hybrid_mounts(const std::filesystem::path& trees,
                                                           const std::filesystem::path& contents,
                                                           const std::set<std::string>& kept,
                                                           content_mount_is what);

/// The hybrid mounts of an earlier process that are still there: each has its record below `mounts_folder`
/// and shows an overlay above an EROFS mount below `trees`, or one for overlays the EROFS itself. Errors:
/// `io`.
result<std::vector<kept_mount>> find_hybrid_mounts(const std::filesystem::path& mounts_folder,
                                                   const std::filesystem::path& trees);

/// Whether `target`, a path without links, shows a FUSE mount below `private_folder`, itself or as an
/// overlay's lower layer. Errors: `io`.
result<bool> shows(const std::filesystem::path& target, const std::filesystem::path& private_folder);

}  // namespace firstlight
