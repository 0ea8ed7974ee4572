#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/toc.hpp"

namespace firstlight {

/// The path of each inode in the image, without a leading '/'; of several names always the same
/// one; empty for the root. Walks the whole tree once: for people, not for each request.
[[nodiscard]] std::vector<std::string> paths_of(const toc_view& toc, std::span<const inode_number> inodes);

/// The inode at a path in the image, with or without a leading '/'; the root for an empty one. Symlinks are
/// not followed.
[[nodiscard]] std::optional<inode_number> find_path(const toc_view& toc, std::string_view path);

}  // namespace firstlight
