#include <zlib.h>

#include <algorithm>
#include <new>

#include "storage/archive/codec.hpp"

namespace firstlight::detail {
namespace {

constexpr int gzip_only = 15 + 16;
constexpr std::size_t step_bytes_max = std::size_t{1} << 30U;  // zlib counts with 32 bits

class gzip_codec : public codec {
 public:
  gzip_codec() {
    if (inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc();
  }
  ~gzip_codec() override { inflateEnd(&stream_); }
  gzip_codec(const gzip_codec&) = delete;
  gzip_codec& operator=(const gzip_codec&) = delete;

  result<codec_step> step(bytes_view in, std::span<std::byte> out) override {
    if (between_members_ && !in.empty()) inflateReset(&stream_);
    in = in.first(std::min(in.size(), step_bytes_max));
    out = out.first(std::min(out.size(), step_bytes_max));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&stream_, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
      return fail(errc::corrupt,
                  std::string("gzip: ") + (stream_.msg != nullptr ? stream_.msg : "broken stream"));
    }
    between_members_ = status == Z_STREAM_END;
    return codec_step{in.size() - stream_.avail_in, out.size() - stream_.avail_out, between_members_};
  }

 private:
  z_stream stream_{};
  bool between_members_ = false;
};

}  // namespace

std::unique_ptr<codec> make_gzip_codec() {
  return std::make_unique<gzip_codec>();
}

}  // namespace firstlight::detail
