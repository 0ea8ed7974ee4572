#pragma once
#include <span>
#include <vector>

#include "schemas/toc.hpp"

namespace firstlight {

/// One name of an inode in an image.
struct image_name {
  inode_number folder = 0;
  std::uint32_t position = 0;  ///< of its entry in the folder
};

/// The names of every inode of an image: a TOC only leads from names to inodes. Immutable.
class image_names {
 public:
  explicit image_names(const toc_view& toc);

  /// In the order of the folders' numbers. The root has none.
  [[nodiscard]] std::span<const image_name> of(inode_number inode) const;

 private:
  std::vector<std::uint32_t> first_;  // of each inode, and one past the last
  std::vector<image_name> names_;
};

}  // namespace firstlight
