#include "storage/erofs/shown_sizes.hpp"

#include <algorithm>
#include <limits>

#include "storage/erofs/directory_blocks.hpp"

namespace firstlight {

static_assert(shown_block_bytes == erofs::block_bytes, "Linux counts the blocks of the image's format");

std::uint32_t blocks_of_image(const toc_view& toc) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  const auto blocks = blocks_for(toc.content_bytes()) + blocks_for(toc.message().size());
  return static_cast<std::uint32_t>(std::min(blocks, most));
}

directory_sizes::directory_sizes(std::shared_ptr<const toc_view> toc)
    : toc_(std::move(toc)), known_(std::make_unique<std::atomic<std::uint64_t>[]>(toc_->directory_count())) {}

// Threads that compute one at the same time find the same, and nothing else is published with it.
std::uint64_t directory_sizes::of(const inode_view& directory) const {
  auto& known = known_[directory.directory];
  auto bytes = known.load(std::memory_order_relaxed);
  if (bytes != 0) return bytes;
  bytes = erofs::shape_of(*toc_, directory).bytes();
  known.store(bytes, std::memory_order_relaxed);
  return bytes;
}

}  // namespace firstlight
