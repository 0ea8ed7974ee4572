#pragma once
#include <memory>

#include "storage/byte_source.hpp"

namespace firstlight::detail {

/// One step of a streaming decompressor.
struct codec_step {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  bool between_frames = false;  ///< everything that was begun is whole: the stream may end here
};

/// A decompressor that is fed by hand.
class codec {
 public:
  virtual ~codec() = default;
  /// Errors: `corrupt`, `limit_exceeded`.
  virtual result<codec_step> step(bytes_view in, std::span<std::byte> out) = 0;
};

[[nodiscard]] std::unique_ptr<codec> make_gzip_codec();
/// `window_bytes_max` is a power of two.
[[nodiscard]] std::unique_ptr<codec> make_zstd_codec(std::uint32_t window_bytes_max);

}  // namespace firstlight::detail
