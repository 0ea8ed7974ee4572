#include "storage/solid_frame.hpp"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <new>

namespace firstlight {
namespace {

constexpr int window_log_min = 10;
constexpr int window_log_max = 27;
constexpr int searched_log = 23;  // so far levels search by themselves

result<void> checked(std::size_t code) {
  if (ZSTD_isError(code) == 0) return {};
  return fail(errc::invalid_argument, std::string("zstd: ") + ZSTD_getErrorName(code));
}

}  // namespace

void solid_frame::closer::operator()(void* context) const {
  ZSTD_freeCCtx(static_cast<ZSTD_CCtx*>(context));
}

result<solid_frame> solid_frame::begin(std::uint64_t bytes, int level) {
  auto* context = ZSTD_createCCtx();
  if (context == nullptr) throw std::bad_alloc();
  solid_frame frame(context);
  const auto window = std::clamp(static_cast<int>(std::bit_width(bytes)), window_log_min, window_log_max);
  const auto set = [&](ZSTD_cParameter which, int value) {
    return checked(ZSTD_CCtx_setParameter(context, which, value));
  };
  auto ready =
      set(ZSTD_c_compressionLevel, level)
          .and_then([&] { return set(ZSTD_c_windowLog, window); })
          .and_then([&] { return set(ZSTD_c_enableLongDistanceMatching, window > searched_log ? 1 : 0); })
          .and_then([&] { return checked(ZSTD_CCtx_setPledgedSrcSize(context, bytes)); });
  if (!ready) return tl::unexpected(ready.error());
  return frame;
}

result<void> solid_frame::add(bytes_view bytes) {
  return pass(bytes, step::more);
}

result<std::uint64_t> solid_frame::finish() {
  return pass({}, step::last).map([this] { return packed_; });
}

result<void> solid_frame::pass(bytes_view bytes, step which) {
  auto* context = static_cast<ZSTD_CCtx*>(context_.get());
  std::array<std::byte, 65'536> room{};
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer out{room.data(), room.size(), 0};
    const auto left =
        ZSTD_compressStream2(context, &out, &in, which == step::last ? ZSTD_e_end : ZSTD_e_continue);
    if (auto good = checked(left); !good) return good;
    packed_ += out.pos;
    if (which == step::last ? left == 0 : in.pos == in.size) return {};
  }
}

}  // namespace firstlight
