#include "storage/layer_registry.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

struct opened_registry {
  std::unique_ptr<database> metadata;
  std::unique_ptr<layer_registry> layers;
  explicit opened_registry(const std::filesystem::path& folder, const layer_limits& limits = {}) {
    metadata = database::open(folder / "db").value();
    layers = layer_registry::open(folder / "store", *metadata, limits).value();
  }
  ~opened_registry() {
    layers.reset();
    metadata.reset();
  }
  result<layer_record> add(layer_placement place) {
    return layers->add({.place = std::move(place), .now = 1000});
  }
};

}  // namespace

TEST_CASE("layers get automatic, indexed, relative and absolute places") {
  temporary_folder folder;
  opened_registry opened(folder.path());
  const auto store = folder.path() / "store" / "layers";
  CHECK(opened.add(automatic_place{})->path == (store / "1").string());
  CHECK(opened.add(indexed_place{"snap"})->name == "snap-0");
  CHECK(opened.add(indexed_place{"snap"})->name == "snap-1");
  CHECK(opened.add(relative_place{"images/redis/upper"})->path == (store / "images/redis/upper").string());
  CHECK(opened.add(absolute_place{folder.path() / "elsewhere"})->name ==
        (folder.path() / "elsewhere").string());
  for (const auto& layer : opened.layers->list()) CHECK(std::filesystem::is_directory(layer.path));
  CHECK(opened.layers->list().size() == 5);
}

TEST_CASE("an index of a prefix is never used again, also not after a restart") {
  temporary_folder folder;
  {
    opened_registry opened(folder.path());
    const auto first = opened.add(indexed_place{"snap"}).value();
    REQUIRE(opened.layers->remove(first.id, layer_files::remove));
    CHECK(opened.add(indexed_place{"snap"})->name == "snap-1");
    REQUIRE(opened.layers->remove({2}, layer_files::remove));
  }
  opened_registry opened(folder.path());
  const auto next = opened.add(indexed_place{"snap"}).value();
  CHECK(next.name == "snap-2");
  CHECK(next.id == layer_id{3});
}

TEST_CASE("places that escape, clash or lie in one another are refused") {
  temporary_folder folder;
  opened_registry opened(folder.path());
  const auto code = [&](layer_placement place) {
    const auto added = opened.add(std::move(place));
    return added ? errc{} : added.error().code;
  };
  for (const auto* path : {"", "..", "../x", "a/../../x", "/etc", "a//b", "a/", "./a"})
    CHECK(code(relative_place{path}) == errc::invalid_argument);
  for (const auto* prefix : {"", "a/b", "..", "."})
    CHECK(code(indexed_place{prefix}) == errc::invalid_argument);
  CHECK(code(absolute_place{"relative"}) == errc::invalid_argument);
  CHECK(code(absolute_place{folder.path() / "store" / "x"}) == errc::invalid_argument);
  CHECK(code(absolute_place{folder.path()}) == errc::invalid_argument);
  CHECK(code(absolute_place{folder.path() / "no" / "parent"}) == errc::invalid_argument);
  REQUIRE(opened.add(relative_place{"a/b"}));
  CHECK(code(relative_place{"a/b"}) == errc::already_exists);
  CHECK(code(relative_place{"a/b/c"}) == errc::already_exists);
  CHECK(code(relative_place{"a"}) == errc::already_exists);
  CHECK(code(relative_place{"a/bc"}) == errc{});
  CHECK(code(relative_place{std::string(256, 'x')}) == errc::limit_exceeded);
  CHECK(opened.layers->add({.place = relative_place{"c"}, .name = "a/b"}).error().code ==
        errc::already_exists);
  CHECK(opened.layers->list().size() == 2);
}

TEST_CASE("a layer shows the image that it was bound to, also after a restart") {
  temporary_folder folder;
  toc_id toc;
  toc.value.bytes.fill(std::byte{3});
  layer_id id;
  {
    opened_registry opened(folder.path());
    id = opened.layers->add({.place = automatic_place{}})->id;
    CHECK_FALSE(opened.layers->find(id)->toc);
    CHECK(opened.layers->bind(id, toc)->toc == toc);
    CHECK(opened.layers->bind({99}, toc).error().code == errc::not_found);
  }
  opened_registry opened(folder.path());
  CHECK(opened.layers->find(id)->toc == toc);
}

TEST_CASE("a layer is found by id, name and path, with all its attributes, also after a restart") {
  temporary_folder folder;
  layer_record made;
  {
    opened_registry opened(folder.path());
    new_layer layer{.place = indexed_place{"up"}, .access = layer_access::writable, .now = 5};
    layer.toc = toc_id{};
    layer.labels = {{"z", "1"}, {"a", std::string("\0\xff", 2)}};
    made = opened.layers->add(layer).value();
    CHECK(made.progress == layer_progress::incomplete);
    made = opened.layers->complete(made.id, 6).value();
    made = opened.layers->acquire(made.id, 7).value();
  }
  opened_registry opened(folder.path());
  CHECK(opened.layers->find(made.id) == made);
  CHECK(opened.layers->find_name("up-0") == made);
  CHECK(opened.layers->find_path(made.path) == made);
  CHECK(made.access == layer_access::writable);
  CHECK(made.progress == layer_progress::complete);
  CHECK(made.references == 1);
  CHECK(made.used_at == 7);
  CHECK(made.labels.front().first == "a");
  CHECK_FALSE(opened.layers->find({99}));
  CHECK(opened.layers->add({.place = indexed_place{"up"}, .name = "given"})->path ==
        made.path.substr(0, made.path.size() - 1) + "1");
  CHECK(opened.layers->find_name("given")->id == layer_id{2});
  CHECK_FALSE(opened.layers->find_name("other"));
  REQUIRE(opened.layers->forget_references());
  CHECK(opened.layers->find(made.id)->references == 0);
}

TEST_CASE("a layer in use is not removed; one that is not goes with or without its files") {
  temporary_folder folder;
  opened_registry opened(folder.path());
  const auto kept = opened.add(automatic_place{}).value();
  const auto removed = opened.add(automatic_place{}).value();
  std::ofstream(std::filesystem::path(removed.path) / "file") << "bytes";
  REQUIRE(opened.layers->acquire(removed.id, 2));
  CHECK(opened.layers->remove(removed.id, layer_files::remove).error().code == errc::busy);
  REQUIRE(opened.layers->release(removed.id, 3));
  CHECK(opened.layers->release(removed.id, 4).error().code == errc::invalid_argument);
  REQUIRE(opened.layers->remove(removed.id, layer_files::remove));
  REQUIRE(opened.layers->remove(kept.id, layer_files::keep));
  CHECK_FALSE(std::filesystem::exists(removed.path));
  CHECK(std::filesystem::exists(kept.path));
  CHECK(opened.layers->remove(kept.id, layer_files::keep).error().code == errc::not_found);
  CHECK(opened.layers->list().empty());
}

TEST_CASE("a damaged record of a layer hides that layer alone, and its folder is nobody else's") {
  const bool counters_too = GENERATE(false, true);
  temporary_folder folder;
  layer_record lost;
  layer_record kept;
  {
    opened_registry opened(folder.path());
    kept = opened.add(automatic_place{}).value();
    lost = opened.add(indexed_place{"rw"}).value();
    std::ofstream(std::filesystem::path(lost.path) / "file") << "bytes";
    REQUIRE(opened.metadata->put({"layer"}, std::string("\0\0\0\0\0\0\0\2", 8), "no message"));
    if (counters_too)
      for (const auto* counter : {"", "rw"}) REQUIRE(opened.metadata->put({"layer-next"}, counter, "none"));
  }
  opened_registry opened(folder.path());
  CHECK(opened.layers->list() == std::vector<layer_record>{kept});
  REQUIRE_FALSE(opened.layers->unreadable().empty());
  CHECK(opened.layers->unreadable().front().name == "layer 2");
  const auto next = opened.add(indexed_place{"rw"}).value();
  CHECK(next.id == layer_id{3});
  CHECK(next.path != lost.path);
  CHECK(std::filesystem::exists(std::filesystem::path(lost.path) / "file"));
}

TEST_CASE("what could not be read of layers is forgotten by its name, and the files stay nobody else's") {
  const bool several = GENERATE(false, true);
  temporary_folder folder;
  layer_record lost;
  {
    opened_registry opened(folder.path());
    lost = opened.add(indexed_place{"rw"}).value();
    REQUIRE(opened.add(relative_place{"images/upper"}));
    std::ofstream(std::filesystem::path(lost.path) / "file") << "bytes";
    REQUIRE(opened.metadata->put({"layer"}, std::string("\0\0\0\0\0\0\0\1", 8), "no message"));
    for (const auto* counter : {"", "rw"}) REQUIRE(opened.metadata->put({"layer-next"}, counter, "none"));
  }
  const auto layers = folder.path() / "store" / "layers";
  if (several) std::filesystem::create_directory(layers / "other");
  {
    opened_registry opened(folder.path());
    REQUIRE(opened.layers->unreadable().size() == 3);
    CHECK(opened.layers->forget_unreadable("layer 2").error().code == errc::not_found);
    CHECK(opened.layers->forget_unreadable("layer 1").value() == (several ? layers : layers / "rw-0"));
    CHECK(opened.layers->forget_unreadable("layer 1").error().code == errc::not_found);
    for (const auto* counter : {"the counter of layers ", "the counter of layers rw"})
      CHECK(opened.layers->forget_unreadable(counter).value().empty());
    CHECK(opened.layers->unreadable().empty());
  }
  opened_registry opened(folder.path());
  CHECK(opened.layers->unreadable().empty());
  const auto next = opened.add(indexed_place{"rw"}).value();
  CHECK(next.id == layer_id{3});
  CHECK(next.path == (layers / "rw-1").string());
  CHECK(std::filesystem::exists(std::filesystem::path(lost.path) / "file"));
}

TEST_CASE("the number of layers and of labels has limits") {
  temporary_folder folder;
  opened_registry opened(folder.path(), {.layers_max = 1, .labels_max = 1, .label_bytes_max = 10});
  const auto layer = opened.add(automatic_place{}).value();
  CHECK(opened.add(automatic_place{}).error().code == errc::limit_exceeded);
  CHECK(opened.layers->set_labels(layer.id, {{"a", ""}, {"b", ""}}).error().code == errc::limit_exceeded);
  CHECK(opened.layers->set_labels(layer.id, {{"a", "0123456789"}}).error().code == errc::limit_exceeded);
  CHECK(opened.layers->set_labels(layer.id, {{"a", "1"}})->labels.size() == 1);
}

TEST_CASE("a database that another handle has open is busy") {
  temporary_folder folder;
  opened_registry opened(folder.path());
  const auto second = database::open(folder.path() / "db");
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::busy);
}

}  // namespace firstlight
