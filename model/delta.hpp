#pragma once
#include <span>
#include <string>
#include <vector>

#include "model/image_tree.hpp"

namespace firstlight {

/// A regular file's path from the root of its image ("usr/bin/env") and its bytes.
struct file_content {
  std::string path;
  content_info content;
  friend bool operator==(const file_content&, const file_content&) = default;
};

/// Content `content` (index in the wanted TOC's table) is to be sent as a patch against `base`.
struct patch_base {
  std::uint32_t content = 0;
  content_info base;
  friend bool operator==(const patch_base&, const patch_base&) = default;
};

/// When a patch is worth its work.
struct patch_limits {
  std::uint64_t content_bytes_min = 16 * 1024;  ///< smaller contents are sent as they are
  std::uint64_t content_bytes_max = 256 * 1024 * 1024;
  std::uint64_t base_bytes_max = 64 * 1024 * 1024;  ///< both sides hold the base in memory while patching
  std::uint32_t size_ratio_max = 4;                 ///< between the larger and the smaller of the two
};

/// What distinguishes a wanted image from what a node has.
struct content_delta {
  std::vector<std::uint32_t> missing;  ///< contents that the node has not whole, ascending indexes
  std::vector<patch_base> patches;     ///< ascending by content, a subset of `missing`
};

/// All regular files with contents, in the order of a depth-first walk by name. Every name of a hard-link
/// group is listed.
[[nodiscard]] std::vector<file_content> files_of(const image_tree& tree);

/// All symlinks of an image, path and target as written, in no particular order.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> links_of(const image_tree& tree);

/// Finds what is missing and for each missing content the best base: a file at the same path, else one of the
/// same name but for version numbers in the same directory (libfoo.so.1.2.3 for libfoo.so.1.2.4), else one of
/// the same path but for version numbers (python3.11/os.py for python3.12/os.py); the nearest in size where
/// several fit. Pure; O(files log files).
/// @param contents  the content table of the wanted image
/// @param wanted    the wanted image's files
/// @param had       files whose contents the node holds completely, of all its images
[[nodiscard]] content_delta find_delta(std::span<const content_info> contents,
                                       std::span<const file_content> wanted,
                                       std::span<const file_content> had, const patch_limits& limits);

}  // namespace firstlight
