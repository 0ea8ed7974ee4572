#pragma once
#include "config/erofs_limits.hpp"
#include "storage/erofs/directory_blocks.hpp"
#include "storage/erofs/xattrs.hpp"

namespace firstlight::erofs {

/// How one inode is stored: its core, its xattrs, and behind them `tail_bytes` of data or of block addresses.
struct inode_shape {
  enum class form : std::uint8_t { compact, extended };
  form core = form::extended;
  layout data = layout::plain;
  std::uint64_t size = 0;         ///< st_size
  std::uint32_t xattr_bytes = 0;  ///< header, ids and entries
  std::uint32_t tail_bytes = 0;
  std::uint32_t blocks = 0;       ///< of data, elsewhere
  std::uint32_t first_block = 0;  ///< of those: how many of other inodes stand before

  [[nodiscard]] std::uint32_t core_bytes() const {
    return core == form::compact ? slot_bytes : 2 * slot_bytes;
  }
  [[nodiscard]] std::uint64_t bytes() const { return std::uint64_t{core_bytes()} + xattr_bytes + tail_bytes; }
};

/// A directory's part of the entries of all, and how it fills blocks.
struct directory_place {
  std::size_t first_entry = 0;
  std::size_t entries = 0;
  directory_shape shape;
};

/// Where all of an image stands: superblock and inodes, shared xattrs, blocks of directories and long
/// symlinks.
struct image_layout {
  std::vector<inode_view> inodes;            ///< by inode number - 1: each is looked at several times
  std::vector<inode_shape> shapes;           ///< by inode number - 1
  std::vector<inode_place> places;           ///< by inode number - 1
  std::vector<entry_view> entries;           ///< of all directories
  std::vector<directory_place> directories;  ///< by index
  std::vector<bool> whiteouts_in;            ///< by index of the directory
  shared_xattrs shared;
  timestamp common_time;  ///< of the compact inodes
  std::uint64_t shared_begin = 0;
  std::uint32_t first_data_block = 0;
  std::uint32_t blocks = 0;
  std::uint64_t xattrs_left_out = 0;

  [[nodiscard]] const inode_view& inode(inode_number number) const { return inodes[number - 1]; }
  [[nodiscard]] inode_xattrs::holds_whiteouts whiteouts(const inode_view& inode) const {
    const bool yes = inode.type == file_type::directory && whiteouts_in[inode.directory];
    return yes ? inode_xattrs::holds_whiteouts::yes : inode_xattrs::holds_whiteouts::no;
  }
  [[nodiscard]] const inode_shape& shape(inode_number number) const { return shapes[number - 1]; }
  /// Where it stands, in bytes.
  [[nodiscard]] std::uint64_t begin_of(inode_number number) const {
    return std::uint64_t{places[number - 1].slot} * slot_bytes;
  }
  [[nodiscard]] const directory_shape& directory(const inode_view& inode) const {
    return directories[inode.directory].shape;
  }
  [[nodiscard]] directory_listing listing(const inode_view& inode) const {
    const auto& directory = directories[inode.directory];
    return std::span(entries).subspan(directory.first_entry, directory.entries);
  }
};

/// Where an inode of this shape begins if the one before ends at `end`: at a slot; and what is inlined shares
/// the inode's block.
[[nodiscard]] std::uint64_t place_behind(std::uint64_t end, const inode_shape& shape);

/// Lays an image out. Equal TOCs give equal layouts. Errors: `limit_exceeded` for what EROFS cannot hold,
/// or above the limits.
[[nodiscard]] result<image_layout> lay_out(const toc_view& toc, const erofs_limits& limits);

}  // namespace firstlight::erofs
