#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/image_tree.hpp"

namespace firstlight {

enum class layer_entry_type : std::uint8_t {
  regular = 1,
  directory = 2,
  symlink = 3,
  character_device = 4,
  block_device = 5,
  fifo = 6,
  hard_link = 7,
};

/// One entry of a layer's tar as the tar has it, with its extended headers applied and its content stored.
struct layer_entry {
  std::string path;  ///< bytes, unchecked: may start with "./" or "/", may hold "..", may be a whiteout
  layer_entry_type type = layer_entry_type::regular;
  std::uint16_t permissions = 0;  ///< 12 bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  timestamp modified;
  std::string link_target;  ///< symlinks: the target; hard links: a path inside the image, unchecked
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::optional<content_info> content;  ///< regular files that are not empty
  std::vector<xattr> xattrs;            ///< sorted by name, names unique
  friend bool operator==(const layer_entry&, const layer_entry&) = default;
};

}  // namespace firstlight
