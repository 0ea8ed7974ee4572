#include "storage/map_versions.hpp"

#include <catch2/catch.hpp>

#include "test/harness/tiny_elf.hpp"
#include "test/storage/store_fixture.hpp"

using namespace firstlight;

TEST_CASE("two versions of a program in the store are mapped by their symbols, other files by their length") {
  const temporary_folder folder;
  opened_store store(folder.path());
  const auto before = store.put(make_elf({.functions = {{"f", 80}, {"g", 120}}}));
  const auto now = store.put(make_elf({.functions = {{"f", 100}, {"g", 200}}}));
  const auto text = store.put(some_bytes(1000, 1));
  const auto map = map_versions(*store.contents, before, now);
  CHECK(map.anchors() >= 2);
  CHECK(map.at(80) == 100);
  CHECK(map.at(100) == 150);
  CHECK(map_versions(*store.contents, text, now).anchors() == 0);
  CHECK(map_versions(*store.contents, before, text).anchors() == 0);
  auto absent = now;
  absent.id.root.bytes[0] ^= std::byte{1};
  CHECK(map_versions(*store.contents, before, absent).anchors() == 0);
}

TEST_CASE("two versions of a program in the store are mapped by their sections") {
  const temporary_folder folder;
  opened_store store(folder.path());
  const auto anchors = [&](bool mapped) {
    const auto before = store.put(make_elf({.functions = {{"f", 80}}, .maps_symbols = mapped}));
    const auto now =
        store.put(make_elf({.needed = {"a"}, .functions = {{"f", 100}}, .maps_symbols = mapped}));
    return map_versions(*store.contents, before, now).anchors();
  };
  CHECK(anchors(true) == anchors(false) + 2);
}
