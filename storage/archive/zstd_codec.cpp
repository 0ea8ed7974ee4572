#include <zstd.h>
#include <zstd_errors.h>

#include <bit>
#include <new>

#include "storage/archive/codec.hpp"

namespace firstlight::detail {
namespace {

class zstd_codec : public codec {
 public:
  explicit zstd_codec(std::uint32_t window_bytes_max) : context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    const int log = std::bit_width(window_bytes_max) - 1;
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, log);
  }
  ~zstd_codec() override { ZSTD_freeDCtx(context_); }
  zstd_codec(const zstd_codec&) = delete;
  zstd_codec& operator=(const zstd_codec&) = delete;

  result<codec_step> step(bytes_view in, std::span<std::byte> out) override {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const std::size_t hint = ZSTD_decompressStream(context_, &output, &input);
    if (ZSTD_getErrorCode(hint) == ZSTD_error_frameParameter_windowTooLarge) {
      return fail(errc::limit_exceeded, "zstd: zstd_window_bytes_max");
    }
    if (ZSTD_isError(hint) != 0) return fail(errc::corrupt, std::string("zstd: ") + ZSTD_getErrorName(hint));
    return codec_step{input.pos, output.pos, hint == 0};
  }

 private:
  ZSTD_DCtx* context_;
};

}  // namespace

std::unique_ptr<codec> make_zstd_codec(std::uint32_t window_bytes_max) {
  return std::make_unique<zstd_codec>(window_bytes_max);
}

}  // namespace firstlight::detail
