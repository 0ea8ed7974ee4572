#include "storage/content_hasher.hpp"

#include <algorithm>

#include "storage/sha256.hpp"

namespace firstlight {

content_hasher::content_hasher(block_geometry geometry) : block_bytes_(geometry.block_bytes) {
  block_.reserve(block_bytes_);
}

void content_hasher::append(bytes_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const auto taken = std::min(bytes.size(), block_bytes_ - block_.size());
    block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    if (block_.size() == block_bytes_) end_block();
  }
}

content_info content_hasher::finish() {
  if (!block_.empty()) end_block();
  return {{merkle_root(sha256_merkle(), std::move(leaves_))}, size_};
}

void content_hasher::end_block() {
  leaves_.push_back(sha256_merkle().leaf(block_));
  block_.clear();
}

}  // namespace firstlight
