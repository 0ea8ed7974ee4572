#pragma once
#include <atomic>
#include <memory>

#include "schemas/toc.hpp"

// The sizes that no file of an image has by itself, as every mount of it shows them: the kernel reads them
// from an EROFS image, and FUSE sessions answer with the same.
namespace firstlight {

/// The unit of st_blksize and of statfs(2).
inline constexpr std::uint32_t shown_block_bytes = 4096;

/// How many blocks so many bytes fill.
constexpr std::uint64_t blocks_for(std::uint64_t bytes) {
  return bytes / shown_block_bytes + (bytes % shown_block_bytes == 0 ? 0 : 1);
}

/// f_blocks of a file system that holds exactly this image: all contents, each once, and for the metadata the
/// first part of the TOC. At most 2^32 - 1: an EROFS image cannot say more.
[[nodiscard]] std::uint32_t blocks_of_image(const toc_view& toc);

/// st_size of an image's directories: the bytes of their entries in EROFS images. Each is computed when it is
/// asked for first, in the time that listing the directory takes; 8 bytes a directory. Any thread.
class directory_sizes {
 public:
  explicit directory_sizes(std::shared_ptr<const toc_view> toc);

  /// `directory` is one of the TOC's.
  [[nodiscard]] std::uint64_t of(const inode_view& directory) const;

 private:
  std::shared_ptr<const toc_view> toc_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> known_;  ///< by index of the directory; 0: not yet
};

}  // namespace firstlight
