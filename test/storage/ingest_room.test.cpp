#include <catch2/catch.hpp>
#include <random>

#include "storage/ingest.hpp"
#include "storage/oci/open_source.hpp"
#include "test/harness/layout_builder.hpp"
#include "test/harness/tar_builder.hpp"
#include "test/storage/store_fixture.hpp"

namespace firstlight {
namespace {

std::string incompressible(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random() >> 56U);
  return bytes;
}

/// Counts the layers that are opened.
class counting_source : public image_source {
 public:
  explicit counting_source(std::unique_ptr<image_source> source) : source_(std::move(source)) {}
  result<digest> current_digest() override { return source_->current_digest(); }
  result<resolved_image> resolve(const platform& wanted) override { return source_->resolve(wanted); }
  result<std::unique_ptr<byte_source>> open_blob(const blob_descriptor& blob) override {
    ++opened;
    return source_->open_blob(blob);
  }
  int opened = 0;

 private:
  std::unique_ptr<image_source> source_;
};

/// A store with a limit, and what the last ingestion said.
struct limited_store {
  temporary_folder folder;
  opened_store store{folder.path() / "store"};
  ingest_limits limits;
  std::unique_ptr<layer_cache> layers = make_layer_cache(*store.metadata);
  std::uint64_t bytes_max = 0;
  std::optional<room_need> refused;
  digest image;
  int opened = 0;

  result<ingested_image> ingest(const std::vector<std::string>& tars,
                                layer_packing packing = layer_packing::plain) {
    const auto layout = folder.path() / "layout";
    std::filesystem::remove_all(layout);
    write_layout(layout, tars, packing);
    const auto reference = parse_image_reference("oci:" + layout.string() + ":latest").value();
    counting_source source(open_image_source(reference, {.limits = limits}).value());
    refused.reset();
    image = source.current_digest().value();
    auto ingested = ingest_image(
        source, host_platform(),
        {*store.contents, *layers, limits, {}, nullptr, 0, bytes_max, [this](const room_need& need) {
           refused = need;
         }});
    opened = source.opened;
    return ingested;
  }
  [[nodiscard]] std::uint64_t stored() const { return store.contents->bytes_stored(); }
};

}  // namespace

TEST_CASE("a file for which a store has no room is not stored, and the image's need is told") {
  limited_store bench;
  bench.bytes_max = 100'000;
  const auto image = bench.ingest({tar_builder()
                                       .file("a", incompressible(1, 60'000))
                                       .file("b", incompressible(2, 60'000))
                                       .file("c", incompressible(3, 10'000))
                                       .take()});
  REQUIRE_FALSE(image);
  CHECK(image.error().code == errc::no_space);
  CHECK(bench.stored() == 60'000);
  CHECK(bench.refused == room_need{bench.image, 120'000});
}

TEST_CASE("a store is filled to its limit, not beyond, also by files that are not kept in memory") {
  limited_store bench;
  bench.bytes_max = 4'000'000;
  const auto large = incompressible(1, 3'000'000);
  REQUIRE(bench.ingest({tar_builder().file("a", large).file("b", incompressible(2, 1'000'000)).take()}));
  CHECK(bench.stored() == bench.bytes_max);
  CHECK_FALSE(bench.refused);
  CHECK(bench.ingest({tar_builder().file("c", "x").take()}).error().code == errc::no_space);
  CHECK(bench.ingest({tar_builder().file("c", incompressible(3, 3'000'000)).take()}).error().code ==
        errc::no_space);
  CHECK(bench.ingest({tar_builder().file("c", incompressible(4, 5'000'000)).take()}).error().code ==
        errc::no_space);
  CHECK(bench.stored() == bench.bytes_max);
}

TEST_CASE("a full store takes an image of files that are all there, under whatever names") {
  limited_store bench;
  const auto first = incompressible(1, 2'000'000);
  REQUIRE(bench.ingest({tar_builder().file("a", first).file("b", "second").take()}));
  bench.bytes_max = GENERATE(std::uint64_t{2'000'006}, std::uint64_t{1'000'000});  // it may have been lowered
  const auto again = bench.ingest({tar_builder().file("x", "second").file("y", first).take()});
  REQUIRE(again);
  CHECK(again->layers_read == 1);
  CHECK(bench.stored() == 2'000'006);
  CHECK_FALSE(bench.refused);
}

TEST_CASE("an image whose compressed layers are larger than a store's limit is refused unread") {
  limited_store bench;
  bench.bytes_max = 100'000;
  const std::vector<std::string> tars{tar_builder().file("a", incompressible(1, 60'000)).take(),
                                      tar_builder().file("b", incompressible(2, 60'000)).take()};
  const auto packing = GENERATE(layer_packing::gzip, layer_packing::zstd);
  CHECK(bench.ingest(tars, packing).error().code == errc::no_space);
  CHECK(bench.opened == 0);
  REQUIRE(bench.refused);
  CHECK(bench.refused->bytes > 120'000);
  CHECK(bench.refused->image == bench.image);
}

TEST_CASE("a plain layer's headers do not count: it is read although it is larger than a store's limit") {
  limited_store bench;
  bench.bytes_max = 10'000;
  tar_builder tar;
  for (int i = 0; i < 50; ++i) tar.file("f" + std::to_string(i), std::to_string(i));
  CHECK(bench.ingest({tar.take()}));
  CHECK(bench.opened == 1);
}

}  // namespace firstlight
