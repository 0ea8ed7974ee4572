#pragma once
#include <span>
#include <vector>

#include "schemas/toc.hpp"
#include "storage/erofs/format.hpp"

namespace firstlight::erofs {

/// Where an inode stands and what a directory says of it.
struct inode_place {
  std::uint32_t slot = 0;  ///< the number by which the format and the kernel know it
  std::uint8_t type = 0;   ///< `entry_type`
};

/// The entries of one directory in the order of the format: sorted by bytes, "." and ".." among them.
using directory_listing = std::span<const entry_view>;

/// Appends those of `directory`, which has this number. Names are of the TOC.
void list_directory(const toc_view& toc, inode_number number, const inode_view& directory,
                    std::vector<entry_view>& into);

/// How the entries of a directory fill blocks.
struct directory_shape {
  std::uint32_t full_blocks = 0;  ///< all but the last
  std::uint32_t last_bytes = 0;   ///< of the last block, at least 1
  std::uint64_t last_first = 0;   ///< position of the first entry of the last block
  /// What Linux shows as st_size.
  [[nodiscard]] std::uint64_t bytes() const { return std::uint64_t{full_blocks} * block_bytes + last_bytes; }
};
[[nodiscard]] directory_shape shape_of(directory_listing listing);
/// The same without a listing. `directory` is one of the TOC's.
[[nodiscard]] directory_shape shape_of(const toc_view& toc, const inode_view& directory);

/// Writes one block: the entries from position `first` on, as many as it takes. `block` is zero and has
/// `block_bytes` bytes or those of the directory's last block. `shape` is the
/// listing's; `places` is by inode number - 1.
/// @returns the position behind the last entry written
std::uint64_t fill_directory_block(directory_listing listing, const directory_shape& shape,
                                   std::uint64_t first, std::span<const inode_place> places,
                                   std::span<std::byte> block);

}  // namespace firstlight::erofs
