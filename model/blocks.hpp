#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "model/digest.hpp"

namespace firstlight {

/// The unit of readiness, order, trace and verification (docs/decisions: block size).
inline constexpr std::uint32_t default_block_bytes = 16 * 1024;

/// The bytes of one file: what names them and how many they are. Empty files have no content.
struct content_info {
  content_id id;
  std::uint64_t size = 0;  ///< bytes, at least 1
  friend bool operator==(const content_info&, const content_info&) = default;
};

/// How a content divides into blocks: all of `block_bytes`, the last one maybe shorter.
struct block_geometry {
  std::uint32_t block_bytes = default_block_bytes;  ///< a power of two, 4 KiB to 1 MiB

  [[nodiscard]] constexpr std::uint32_t count(std::uint64_t size) const {
    return static_cast<std::uint32_t>((size + block_bytes - 1) / block_bytes);
  }
  [[nodiscard]] constexpr std::uint64_t offset(std::uint32_t block) const {
    return std::uint64_t{block} * block_bytes;
  }
  /// Bytes in blocks [first, first + count) of a content of `size` bytes.
  [[nodiscard]] constexpr std::uint64_t length(std::uint64_t size, std::uint32_t first,
                                               std::uint32_t count) const {
    return std::min(size, offset(first + count)) - std::min(size, offset(first));
  }
};

/// Blocks [first, first + count) of one content; `content` is its index in the TOC's content table.
struct block_run {
  std::uint32_t content = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  friend auto operator<=>(const block_run&, const block_run&) = default;
};

/// Which blocks of one content are there. A value; not thread-safe.
class block_set {
 public:
  block_set() = default;
  explicit block_set(std::uint32_t blocks) : words_((blocks + 63) / 64), blocks_(blocks) {}

  /// Reads what `words()` gave. Bits past `blocks` are ignored, missing words are empty.
  static block_set from_words(std::uint32_t blocks, std::span<const std::uint64_t> words);

  [[nodiscard]] std::uint32_t blocks() const { return blocks_; }
  [[nodiscard]] std::uint32_t count() const { return set_; }
  [[nodiscard]] bool empty() const { return set_ == 0; }
  [[nodiscard]] bool complete() const { return set_ == blocks_; }
  [[nodiscard]] bool contains(std::uint32_t block) const {
    return block < blocks_ && ((words_[block / 64] >> (block % 64)) & 1U) != 0;
  }
  /// Whether all of [first, first + count) is there; what lies past the end counts as there.
  [[nodiscard]] bool contains(std::uint32_t first, std::uint32_t count) const;

  void insert(std::uint32_t first, std::uint32_t count);
  void erase(std::uint32_t first, std::uint32_t count);

  /// The runs inside [first, first + count) that are not there, ascending; `content` is filled in.
  [[nodiscard]] std::vector<block_run> missing(std::uint32_t content, std::uint32_t first,
                                               std::uint32_t count) const;
  [[nodiscard]] std::span<const std::uint64_t> words() const { return words_; }
  friend bool operator==(const block_set&, const block_set&) = default;

 private:
  std::vector<std::uint64_t> words_;
  std::uint32_t blocks_ = 0;
  std::uint32_t set_ = 0;
};

}  // namespace firstlight
