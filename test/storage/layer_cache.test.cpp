#include "storage/layer_cache.hpp"

#include <catch2/catch.hpp>

#include "test/storage/store_fixture.hpp"

namespace firstlight {
namespace {

layer_key layer(std::uint8_t number) {
  layer_key key;
  key.diff_id.bytes[0] = std::byte{number};
  return key;
}

layer_entry file(const std::string& path, std::uint64_t seed) {
  layer_entry entry;
  entry.path = path;
  entry.content = info_of(some_bytes(100, seed));
  return entry;
}

}  // namespace

TEST_CASE(
    "layers with contents that are not there any more are forgotten, and so are those nobody can read") {
  temporary_folder folder;
  const auto metadata = database::open(folder.path()).value();
  const auto cache = make_layer_cache(*metadata);
  const auto kept = file("kept", 1);
  REQUIRE(cache->put(layer(1), {kept}));
  REQUIRE(cache->put(layer(2), {kept, file("gone", 2)}));
  REQUIRE(cache->put(layer(3), {}));
  REQUIRE(metadata->put({"layer-entries"}, "damaged", "no message"));
  const auto there = [&](const content_id& id) { return id == kept.content->id; };

  const std::atomic<bool> stopped{true};
  CHECK(cache->forget_unless(there, &stopped).value() == 0);
  CHECK(cache->forget_unless(there, nullptr).value() == 2);
  CHECK(cache->find(layer(1)).value());
  CHECK_FALSE(cache->find(layer(2)).value());
  CHECK(cache->find(layer(3)).value());
  CHECK_FALSE(metadata->get({"layer-entries"}, "damaged").value());
  CHECK(cache->forget_unless(there, nullptr).value() == 0);
}

}  // namespace firstlight
