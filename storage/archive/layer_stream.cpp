#include "storage/archive/layer_stream.hpp"

#include "storage/archive/checked_source.hpp"
#include "storage/archive/decompress.hpp"

namespace firstlight {
namespace {

class layer : public layer_stream {
 public:
  layer(std::unique_ptr<byte_source> blob, const blob_descriptor& expected, const digest& diff_id,
        const ingest_limits& limits) {
    auto packed = std::make_unique<checked_source>(
        std::move(blob),
        checked_source::expectation{"layer " + expected.id.oci(), expected.id, expected.size});
    packed_ = packed.get();
    tar_ = std::make_unique<checked_source>(
        decompress(std::move(packed), limits),
        checked_source::expectation{"the unpacked layer " + diff_id.oci(), diff_id, std::nullopt});
  }

  result<std::size_t> read(std::span<std::byte> into) override { return tar_->read(into); }
  [[nodiscard]] std::uint64_t compressed_bytes_read() const override { return packed_->bytes_read(); }

 private:
  checked_source* packed_;  // owned by tar_
  std::unique_ptr<checked_source> tar_;
};

}  // namespace

std::unique_ptr<layer_stream> open_layer(std::unique_ptr<byte_source> blob, const blob_descriptor& expected,
                                         const digest& diff_id, const ingest_limits& limits) {
  return std::make_unique<layer>(std::move(blob), expected, diff_id, limits);
}

}  // namespace firstlight
