#pragma once
#include <span>
#include <string>
#include <vector>

#include "schemas/toc.hpp"

namespace firstlight {

/// The path of each inode in the image, without a leading '/'; of several names always the same
/// one; empty for the root. Walks the whole tree once: for people, not for each request.
[[nodiscard]] std::vector<std::string> paths_of(const toc_view& toc, std::span<const inode_number> inodes);

}  // namespace firstlight
