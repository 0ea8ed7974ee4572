#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "model/blocks.hpp"

namespace firstlight {

enum class file_type : std::uint8_t {
  regular = 1,
  directory = 2,
  symlink = 3,
  character_device = 4,
  block_device = 5,
  fifo = 6,
};

/// A point in time as tar carries it; `nanoseconds` is below 10^9.
struct timestamp {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  friend auto operator<=>(const timestamp&, const timestamp&) = default;
};

/// One extended attribute; the value is bytes.
struct xattr {
  std::string name;
  std::string value;
  friend auto operator<=>(const xattr&, const xattr&) = default;
};

/// All of a file but its names. Names and link targets are bytes, not necessarily UTF-8.
struct image_inode {
  file_type type = file_type::regular;
  std::uint16_t permissions = 0;  ///< 12 bits: rwx of three, suid, sgid, sticky
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t links = 1;  ///< st_nlink; for a directory 2 + its subdirectories
  timestamp modified;
  /// st_size: of a symlink its target's length, of a directory 4096, which no mount shows.
  std::uint64_t size = 0;
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint32_t content = no_content;  ///< index into `image_tree::contents`
  std::string symlink_target;
  std::vector<xattr> xattrs;  ///< sorted by name, names unique

  static constexpr std::uint32_t no_content = 0xffffffff;
  friend bool operator==(const image_inode&, const image_inode&) = default;
};

struct image_entry {
  std::string name;         ///< no '/', not "." or ".."
  std::uint32_t inode = 0;  ///< position in `image_tree::inodes`
  friend bool operator==(const image_entry&, const image_entry&) = default;
};

struct image_directory {
  std::uint32_t inode = 0;
  std::uint32_t parent = 0;          ///< inode of the parent; the root's is itself
  std::vector<image_entry> entries;  ///< sorted by name as bytes, names unique
  friend bool operator==(const image_directory&, const image_directory&) = default;
};

/// One merged image: what the TOC is made from. Position 0 of `inodes` and of `directories` is the
/// root. Inodes are in the order of a depth-first walk by sorted names, so equal images give equal
/// trees; a hard-link group is one inode with several entries.
struct image_tree {
  std::vector<image_inode> inodes;
  std::vector<image_directory> directories;
  std::vector<content_info> contents;  ///< unique, in order of first use by inode number

  friend bool operator==(const image_tree&, const image_tree&) = default;
};

}  // namespace firstlight
