#pragma once
#include <span>
#include <vector>

#include "storage/posix_file.hpp"

namespace firstlight::erofs {

/// Writes an image from its begin to its end through one buffer, and puts the checksum into its first block.
/// The first error is kept until `finish`; what follows it is not written.
class image_output {
 public:
  explicit image_output(int file);

  /// The next `bytes` bytes, zero, to be filled before the next call.
  [[nodiscard]] std::span<std::byte> next(std::size_t bytes);
  template <class Structure>
  void put(const Structure& structure) {
    append({reinterpret_cast<const char*>(&structure), sizeof structure});
  }
  void append(std::string_view bytes);
  /// Zeros up to the position `end`, which is not behind.
  void pad_to(std::uint64_t end);

  [[nodiscard]] std::uint64_t position() const { return flushed_ + buffer_.size(); }
  /// Writes what is left. The image has at least one block.
  [[nodiscard]] result<void> finish();

 private:
  void flush();

  int file_;
  std::vector<std::byte> buffer_;
  std::uint64_t flushed_ = 0;
  result<void> outcome_;
};

}  // namespace firstlight::erofs
