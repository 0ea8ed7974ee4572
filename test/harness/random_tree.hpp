#pragma once
#include <cstdint>

#include "model/image_tree.hpp"

namespace firstlight {

/// A valid tree of about `inodes` inodes with everything that a tree may hold: nested directories,
/// hard links, shared contents, empty files, symlinks, devices, fifos, xattrs, names that are not
/// UTF-8. Equal arguments give equal trees.
[[nodiscard]] image_tree random_image_tree(std::uint64_t seed, std::uint32_t inodes);

}  // namespace firstlight
