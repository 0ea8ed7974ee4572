#pragma once
#include <vector>

#include "model/blocks.hpp"

namespace firstlight {

/// Computes the id of one content from bytes that come in parts, and keeps none of them: for a file that may
/// be in the store already when there is no room to store it. One thread; append, then finish once.
class content_hasher {
 public:
  explicit content_hasher(block_geometry geometry = {});

  void append(bytes_view bytes);
  /// At least one byte was appended.
  [[nodiscard]] content_info finish();

 private:
  void end_block();

  std::size_t block_bytes_;
  std::vector<std::byte> block_;
  std::vector<digest> leaves_;
  std::uint64_t size_ = 0;
};

}  // namespace firstlight
