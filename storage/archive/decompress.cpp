#include "storage/archive/decompress.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "storage/archive/codec.hpp"

namespace firstlight {
namespace {

constexpr std::size_t input_bytes = 128U << 10U;
constexpr std::size_t magic_bytes = 4;

std::unique_ptr<detail::codec> choose(bytes_view front, const ingest_limits& limits) {
  const auto byte = [front](std::size_t i) {
    return i < front.size() ? std::to_integer<unsigned>(front[i]) : 0x100U;
  };
  if (byte(0) == 0x1f && byte(1) == 0x8b) return detail::make_gzip_codec();
  const bool zstd = byte(0) == 0x28 && byte(1) == 0xb5 && byte(2) == 0x2f && byte(3) == 0xfd;
  const bool skippable = (byte(0) & 0xf0U) == 0x50 && byte(1) == 0x2a && byte(2) == 0x4d && byte(3) == 0x18;
  if (zstd || skippable) return detail::make_zstd_codec(limits.zstd_window_bytes_max);
  return nullptr;
}

class decompressed_source : public byte_source {
 public:
  decompressed_source(std::unique_ptr<byte_source> packed, const ingest_limits& limits)
      : packed_(std::move(packed)), limits_(limits), buffer_(input_bytes) {}

  result<std::size_t> read(std::span<std::byte> into) override {
    if (final_) return *final_;
    auto got = began_ ? next(into) : begin(into);
    if (got && *got > 0) got = count(*got);
    if (!got || *got == 0) final_ = got;
    return got;
  }

 private:
  result<std::size_t> begin(std::span<std::byte> into) {
    began_ = true;
    while (available_.size() < magic_bytes && !packed_ended_) {
      if (auto ok = refill(); !ok) return tl::unexpected(ok.error());
    }
    codec_ = choose(available_, limits_);
    return next(into);
  }

  result<std::size_t> next(std::span<std::byte> into) { return codec_ ? unpack(into) : plain(into); }

  // Appends to what is available.
  result<void> refill() {
    std::copy(available_.begin(), available_.end(), buffer_.begin());
    auto got = packed_->read(std::span(buffer_).subspan(available_.size()));
    if (!got) return tl::unexpected(got.error());
    packed_ended_ = *got == 0;
    packed_bytes_ += *got;
    available_ = bytes_view(buffer_).first(available_.size() + *got);
    return {};
  }

  result<std::size_t> plain(std::span<std::byte> into) {
    if (available_.empty()) {
      auto got = packed_->read(into);
      if (got) packed_bytes_ += *got;
      return got;
    }
    const std::size_t length = std::min(into.size(), available_.size());
    std::copy_n(available_.begin(), length, into.begin());
    available_ = available_.subspan(length);
    return length;
  }

  result<std::size_t> unpack(std::span<std::byte> into) {
    while (true) {
      if (available_.empty() && !packed_ended_) {
        if (auto ok = refill(); !ok) return tl::unexpected(ok.error());
      }
      if (available_.empty() && whole_) return 0;
      auto step = codec_->step(available_, into);
      if (!step) return tl::unexpected(step.error());
      available_ = available_.subspan(step->consumed);
      whole_ = step->between_frames;
      if (step->produced > 0) return step->produced;
      if (packed_ended_ && step->consumed == 0) return fail(errc::corrupt, "the compressed layer is cut off");
    }
  }

  result<std::size_t> count(std::size_t produced) {
    unpacked_bytes_ += produced;
    if (unpacked_bytes_ > limits_.layer_unpacked_bytes_max) {
      return fail(errc::limit_exceeded, "layer_unpacked_bytes_max");
    }
    if (unpacked_bytes_ > limits_.expansion_free_bytes &&
        unpacked_bytes_ / limits_.expansion_ratio_max > packed_bytes_) {
      return fail(errc::limit_exceeded, "expansion_ratio_max");
    }
    return produced;
  }

  std::unique_ptr<byte_source> packed_;
  const ingest_limits& limits_;
  std::vector<std::byte> buffer_;
  bytes_view available_;  // inside buffer_
  std::unique_ptr<detail::codec> codec_;
  std::uint64_t packed_bytes_ = 0;
  std::uint64_t unpacked_bytes_ = 0;
  bool began_ = false;
  bool packed_ended_ = false;
  bool whole_ = false;
  std::optional<result<std::size_t>> final_;
};

}  // namespace

std::unique_ptr<byte_source> decompress(std::unique_ptr<byte_source> packed, const ingest_limits& limits) {
  return std::make_unique<decompressed_source>(std::move(packed), limits);
}

}  // namespace firstlight
