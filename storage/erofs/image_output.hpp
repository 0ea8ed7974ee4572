#pragma once
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "storage/posix_file.hpp"

namespace firstlight::erofs {

/// Writes an image from its begin to its end through one buffer, and puts the checksum into its first block.
/// The first error is kept until `finish`; what follows it is not written.
class image_output {
 public:
  /// From `begin` on, where another one's part ends. The part from 0 on has at least one block.
  explicit image_output(int file, std::uint64_t begin = 0);

  /// The next `bytes` bytes, zero, to be filled before the next call.
  [[nodiscard]] std::span<std::byte> next(std::size_t bytes) {
    if (used_ + bytes > buffer_.size()) make_room(bytes);
    const auto begin = std::exchange(used_, used_ + bytes);
    return {buffer_.data() + begin, bytes};
  }
  template <class Structure>
  void put(const Structure& structure) {
    std::memcpy(next(sizeof structure).data(), &structure, sizeof structure);
  }
  void append(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(next(bytes.size()).data(), bytes.data(), bytes.size());
  }
  /// Zeros up to the position `end`, which is not behind.
  void pad_to(std::uint64_t end);

  [[nodiscard]] std::uint64_t position() const { return flushed_ + used_; }
  /// Writes what is left.
  [[nodiscard]] result<void> finish();

 private:
  void make_room(std::size_t bytes);
  void flush();

  int file_;
  std::vector<std::byte> buffer_;  // zero from `used_` on
  std::size_t used_ = 0;
  std::uint64_t flushed_ = 0;
  result<void> outcome_;
};

}  // namespace firstlight::erofs
