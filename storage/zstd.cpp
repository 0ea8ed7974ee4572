#include "storage/zstd.hpp"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <new>

namespace firstlight {
namespace {

struct closer {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

/// A fresh state of this thread's context.
ZSTD_CCtx* compressor() {
  thread_local const std::unique_ptr<ZSTD_CCtx, closer> mine(ZSTD_createCCtx());
  if (!mine) throw std::bad_alloc();
  ZSTD_CCtx_reset(mine.get(), ZSTD_reset_session_and_parameters);
  return mine.get();
}
ZSTD_DCtx* decompressor() {
  thread_local const std::unique_ptr<ZSTD_DCtx, closer> mine(ZSTD_createDCtx());
  if (!mine) throw std::bad_alloc();
  ZSTD_DCtx_reset(mine.get(), ZSTD_reset_session_and_parameters);
  return mine.get();
}

int window_max() {
  return ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).upperBound;
}

error from_zstd(std::size_t code, errc as, std::string_view doing) {
  return {as, std::string(doing) + ": " + ZSTD_getErrorName(code)};
}

result<std::vector<std::byte>> run(ZSTD_CCtx* context, bytes_view bytes, int level) {
  if (const auto set = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
      ZSTD_isError(set) != 0)
    return tl::make_unexpected(from_zstd(set, errc::invalid_argument, "zstd"));
  std::vector<std::byte> frame(ZSTD_compressBound(bytes.size()));
  const auto size = ZSTD_compress2(context, frame.data(), frame.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(size) != 0)
    return tl::make_unexpected(from_zstd(size, errc::invalid_argument, "cannot compress"));
  frame.resize(size);
  frame.shrink_to_fit();
  return frame;
}

result<std::vector<std::byte>> run(ZSTD_DCtx* context, bytes_view frame, std::size_t size) {
  // Only this one frame: zstd itself would go on with whatever frames follow.
  const auto length = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(length) != 0) return tl::make_unexpected(from_zstd(length, errc::corrupt, "zstd frame"));
  if (length != frame.size()) return fail(errc::corrupt, "zstd frame: bytes behind its end");
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != size)
    return fail(errc::corrupt, "zstd frame: it does not hold " + std::to_string(size) + " bytes");
  std::vector<std::byte> bytes(size);
  const auto got = ZSTD_decompressDCtx(context, bytes.data(), bytes.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) != 0) return tl::make_unexpected(from_zstd(got, errc::corrupt, "zstd frame"));
  if (got != size)
    return fail(errc::corrupt,
                "zstd frame: " + std::to_string(got) + " bytes instead of " + std::to_string(size));
  return bytes;
}

}  // namespace

result<std::vector<std::byte>> compress(bytes_view bytes, int level) {
  auto* context = compressor();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1);
  return run(context, bytes, level);
}

result<std::vector<std::byte>> compress_patch(bytes_view bytes, bytes_view base, int level) {
  auto* context = compressor();
  // The window must reach back over all of the base; matches far away need long-distance search.
  const auto window =
      std::clamp(static_cast<int>(std::bit_width(bytes.size() + base.size())), 10, window_max());
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window);
  ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, 1);
  if (const auto set = ZSTD_CCtx_refPrefix(context, base.data(), base.size()); ZSTD_isError(set) != 0)
    return tl::make_unexpected(from_zstd(set, errc::invalid_argument, "zstd patch base"));
  return run(context, bytes, level);
}

result<std::vector<std::byte>> decompress(bytes_view frame, std::size_t size) {
  return run(decompressor(), frame, size);
}

result<std::vector<std::byte>> decompress_patch(bytes_view frame, bytes_view base, std::size_t size) {
  auto* context = decompressor();
  ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, window_max());
  if (const auto set = ZSTD_DCtx_refPrefix(context, base.data(), base.size()); ZSTD_isError(set) != 0)
    return tl::make_unexpected(from_zstd(set, errc::corrupt, "zstd patch base"));
  return run(context, frame, size);
}

}  // namespace firstlight
