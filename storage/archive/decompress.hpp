#pragma once
#include <memory>

#include "config/ingest_limits.hpp"
#include "storage/byte_source.hpp"

namespace firstlight {

/// The plain bytes of a stream that is gzip (also several members), zstd (also several frames) or neither,
/// told by its first bytes. The packed stream is read to its end before the end is reported. `limits`
/// outlives it. Errors of `read`: `corrupt`, `limit_exceeded` (zstd_window_bytes_max, expansion_ratio_max,
/// layer_unpacked_bytes_max), and the packed source's.
[[nodiscard]] std::unique_ptr<byte_source> decompress(std::unique_ptr<byte_source> packed,
                                                      const ingest_limits& limits);

}  // namespace firstlight
