#include "storage/trace_store.hpp"

#include <catch2/catch.hpp>

#include "storage/trace_switches.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

trace trace_of(std::uint8_t id, std::uint8_t image) {
  trace made;
  made.id.value.bytes[0] = std::byte{id};
  made.toc.value.bytes[0] = std::byte{image};
  made.started = std::chrono::seconds(id);
  made.files = {{"a", {}, {}, {}}};
  return made;
}

struct store_bench {
  temporary_folder folder;
  std::unique_ptr<database> metadata = database::open(folder.path()).value();
  trace_store store{*metadata, 3};

  void add(std::uint8_t id, std::uint8_t image = 1) { REQUIRE(store.add(trace_of(id, image))); }
  std::size_t count(std::uint8_t image = 1) { return store.of_image(trace_of(0, image).toc)->size(); }
};

}  // namespace

TEST_CASE("traces are found by id and by image, each added once") {
  store_bench bench;
  bench.add(1, 1);
  bench.add(2, 1);
  bench.add(3, 2);
  CHECK(bench.store.add(trace_of(1, 1)).value() == trace_store::outcome::known);
  CHECK(bench.count(1) == 2);
  CHECK(bench.store.find(trace_of(3, 2).id).value() == trace_of(3, 2));
  CHECK_FALSE(bench.store.find(trace_of(9, 2).id).value());
  CHECK(bench.store.images().value() ==
        std::map<toc_id, std::uint32_t>{{trace_of(0, 1).toc, 2}, {trace_of(0, 2).toc, 1}});
}

TEST_CASE("of many traces of one image the oldest are removed, and stay known") {
  store_bench bench;
  for (std::uint8_t id = 1; id <= 6; ++id) bench.add(id);
  CHECK(bench.count() == 3);
  CHECK_FALSE(bench.store.find(trace_of(3, 1).id).value());
  CHECK(bench.store.add(trace_of(1, 1)).value() == trace_store::outcome::known);
  CHECK(bench.store.known()->size() == 6);
}

TEST_CASE("a removed trace does not come back, a forgotten one may") {
  store_bench bench;
  bench.add(1);
  bench.add(2);
  REQUIRE(bench.store.remove(trace_of(1, 1).id));
  CHECK(bench.store.add(trace_of(1, 1)).value() == trace_store::outcome::known);
  REQUIRE(bench.store.forget(trace_of(2, 1).id));
  CHECK(bench.store.add(trace_of(2, 1)).value() == trace_store::outcome::added);
  CHECK(bench.store.remove_all(trace_of(0, 1).toc).value() == 1);
  CHECK(bench.count() == 0);
}

TEST_CASE("the most particular word about recording counts, over restarts") {
  using state = trace_switches::state;
  using subject = trace_switches::subject;
  store_bench bench;
  trace_switches switches(*bench.metadata);
  CHECK_FALSE(switches.find("app:1", "shop").value());
  REQUIRE(switches.set(subject::all, "", state::off));
  CHECK(trace_switches(*bench.metadata).find("app:1", "shop").value() == state::off);
  REQUIRE(switches.set(subject::group, "shop", state::on));
  CHECK(switches.find("app:1", "shop").value() == state::on);
  CHECK(switches.find("app:1", "").value() == state::off);
  REQUIRE(switches.set(subject::image, "app:1", state::off));
  CHECK(switches.find("app:1", "shop").value() == state::off);
  CHECK(switches.find("app:2", "shop").value() == state::on);
}

TEST_CASE("starts are counted for each image") {
  store_bench bench;
  trace_switches switches(*bench.metadata);
  CHECK(switches.count_start(trace_of(0, 1).toc).value() == 1);
  CHECK(switches.count_start(trace_of(0, 1).toc).value() == 2);
  CHECK(switches.count_start(trace_of(0, 2).toc).value() == 1);
}
