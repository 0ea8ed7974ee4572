#include "storage/toc_packing.hpp"

#include "storage/sha256.hpp"
#include "storage/zstd.hpp"

namespace firstlight {

result<toc_frame> pack_toc(bytes_view message, const toc_view* base, int level) {
  auto packed = base != nullptr ? compress_patch(message, base->message(), level) : compress(message, level);
  if (!packed) return tl::make_unexpected(packed.error());
  toc_frame frame;
  frame.bytes = message.size();
  frame.frame = share(std::move(*packed));
  if (base != nullptr) frame.patch_base = toc_id{sha256(base->message())};
  return frame;
}

result<shared_bytes> unpack_toc(const toc_frame& frame, const toc_id& expected, const toc_view* base,
                                const segment_limits& limits) {
  if (frame.bytes > limits.toc_bytes_max)
    return fail(errc::limit_exceeded, "a table of contents of " + std::to_string(frame.bytes) + " bytes");
  if (frame.patch_base && base == nullptr)
    return fail(errc::not_ready, "the table of contents that a patch refers to is not here");
  auto bytes = frame.patch_base ? decompress_patch(frame.frame.bytes, base->message(), frame.bytes)
                                : decompress(frame.frame.bytes, frame.bytes);
  if (!bytes) return tl::make_unexpected(bytes.error());
  if (toc_id{sha256(*bytes)} != expected)
    return fail(errc::corrupt, "a table of contents does not match its id");
  return share(std::move(*bytes));
}

}  // namespace firstlight
