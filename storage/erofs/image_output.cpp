#include "storage/erofs/image_output.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstring>

#include "storage/erofs/format.hpp"

namespace firstlight::erofs {
namespace {

constexpr std::size_t flush_bytes = 256U << 10U;

// CRC-32C without the final inversion, as the kernel and the EROFS tools compute it; 3 KiB need no table.
std::uint32_t checksum_of(bytes_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const auto byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
  }
  return crc;
}

}  // namespace

image_output::image_output(int file, std::uint64_t begin)
    : file_(file), buffer_(flush_bytes), flushed_(begin) {}

void image_output::make_room(std::size_t bytes) {
  flush();
  if (bytes > buffer_.size()) buffer_.resize(bytes);
}

void image_output::pad_to(std::uint64_t end) {
  assert(end >= position());
  while (position() < end) (void)next(std::min<std::uint64_t>(end - position(), flush_bytes));
}

result<void> image_output::finish() {
  flush();
  return outcome_;
}

void image_output::flush() {
  if (flushed_ == 0) {
    const auto checked = std::span(buffer_).subspan(super_block_offset, block_bytes - super_block_offset);
    const auto checksum = checksum_of(checked);
    std::memcpy(checked.data() + offsetof(super_block, checksum), &checksum, sizeof checksum);
  }
  const auto written = std::span(buffer_).first(used_);
  if (outcome_) outcome_ = write_at(file_, written, flushed_, "write an EROFS image");
  std::fill(written.begin(), written.end(), std::byte{});
  flushed_ += std::exchange(used_, 0);
}

}  // namespace firstlight::erofs
