#pragma once
#include <filesystem>

#include "model/image_tree.hpp"

namespace firstlight {

/// The tree of a folder of this machine, without entering other file systems: a tree of real names and
/// attributes. Contents are not read: each inode's gets a made-up id. Throws std::system_error.
[[nodiscard]] image_tree tree_of_folder(const std::filesystem::path& folder);

}  // namespace firstlight
