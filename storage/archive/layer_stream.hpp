#pragma once
#include <memory>

#include "config/ingest_limits.hpp"
#include "storage/byte_source.hpp"
#include "storage/oci/image_source.hpp"

namespace firstlight {

/// A layer's tar from the blob that carries it: plain, gzip (several members too) or zstd (several frames
/// too), told by the first bytes. The blob's size and digest and the tar's diff id are checked on the way;
/// the end is reported only once all three agree, so a reader that got to the end has read the right bytes.
/// Errors of `read`: `corrupt`, `limit_exceeded`, and the blob's.
class layer_stream : public byte_source {
 public:
  virtual std::uint64_t compressed_bytes_read() const = 0;
};

/// `limits` outlives the stream.
[[nodiscard]] std::unique_ptr<layer_stream> open_layer(std::unique_ptr<byte_source> blob,
                                                       const blob_descriptor& expected, const digest& diff_id,
                                                       const ingest_limits& limits);

}  // namespace firstlight
