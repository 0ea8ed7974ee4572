#include "storage/trace_store.hpp"

#include <catch2/catch.hpp>

#include "schemas/trace_codec.hpp"
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
  std::chrono::nanoseconds now = std::chrono::hours(1'000);
  std::unique_ptr<trace_store> opened = open();
  trace_store& store = *opened;

  std::unique_ptr<trace_store> open() {
    return trace_store::open(*metadata,
                             {.kept_max = 3, .removed_max = 5, .removed_time = std::chrono::hours(100)},
                             [this] { return now; })
        .value();
  }

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

TEST_CASE("a node that sends many traces does not push out those of others") {
  store_bench bench;
  auto shy = trace_of(1, 1);
  shy.node = "shy";
  REQUIRE(bench.store.add(shy).value() == trace_store::outcome::added);
  for (std::uint8_t id = 10; id < 20; ++id) bench.add(id);
  CHECK(bench.store.find(shy.id).value() == shy);
  CHECK(bench.count() == 3);
}

TEST_CASE("traces of one image have a limit in bytes, at the cost of the node with the most") {
  store_bench bench;
  bench.add(1, 2);
  const auto small = bench.store.stamps(trace_of(0, 2).toc)->front().bytes;
  const auto limited =
      trace_store::open(*bench.metadata, {.kept_max = 100, .kept_bytes_max = small * 10}).value();
  for (std::uint8_t id = 1; id <= 3; ++id) REQUIRE(limited->add(trace_of(id + 10, 1)));
  for (std::uint8_t id = 20; id < 30; ++id) {
    auto large = trace_of(id, 1);
    large.node = "loud";
    for (int i = 0; i < 10; ++i) large.files.push_back({"file" + std::to_string(i), {}, {}, {}});
    REQUIRE(limited->add(large).value() == trace_store::outcome::added);
  }
  std::uint64_t bytes = 0;
  std::size_t shy = 0;
  const auto left = limited->stamps(trace_of(0, 1).toc).value();
  for (const auto& one : left) {
    bytes += one.bytes;
    shy += one.node.empty() ? 1 : 0;
  }
  CHECK(bytes <= small * 10);
  CHECK(shy == 3);
  CHECK(left.size() > shy);
  CHECK(limited->find(trace_of(29, 1).id).value());
  CHECK(limited->knows(trace_of(20, 1).id).value());
  CHECK(bench.count(2) == 1);  // each image has its own
}

TEST_CASE("a trace for which there is no room is known from then on") {
  store_bench bench;
  for (std::uint8_t id = 5; id < 8; ++id) bench.add(id);
  CHECK(bench.store.add(trace_of(1, 1)).value() == trace_store::outcome::dropped);
  CHECK(bench.count() == 3);
  CHECK(bench.store.knows(trace_of(1, 1).id).value());
}

TEST_CASE("stamps say what traces say, also of a store of an earlier version") {
  store_bench bench;
  auto one = trace_of(1, 1);
  one.node = "n1";
  one.reference = "example.com/app:1";
  one.received = std::chrono::seconds(7);
  one.group = "shop";
  REQUIRE(bench.store.add(one));
  const auto before = bench.store.stamps(one.toc).value();
  REQUIRE(before.size() == 1);
  CHECK(before[0] == stamp_of(one, before[0].bytes));
  CHECK(before[0].bytes > 0);
  std::vector<std::string> keys;
  REQUIRE(bench.metadata->scan(table{"trace-stamp"}, "", [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return scan_step::next;
  }));
  for (const auto& key : keys) REQUIRE(bench.metadata->erase(table{"trace-stamp"}, key));
  REQUIRE(bench.metadata->erase(table{"trace-store"}, "stamped"));
  CHECK(bench.open()->stamps(one.toc).value() == before);
  // One that had stamps without the group.
  auto less = before[0];
  less.group.clear();
  const auto said = encode_stamp(less);
  REQUIRE(bench.metadata->put(table{"trace-stamp"}, keys.at(0),
                              {reinterpret_cast<const char*>(said.data()), said.size()}));
  REQUIRE(bench.metadata->put(table{"trace-store"}, "stamped", ""));
  CHECK(bench.open()->stamps(one.toc).value() == before);
}

TEST_CASE("removed traces are forgotten after their time, and the oldest of too many") {
  store_bench bench;
  bench.add(1);
  REQUIRE(bench.store.remove(trace_of(1, 1).id));
  bench.now += std::chrono::hours(60);
  bench.add(2);
  REQUIRE(bench.store.remove(trace_of(2, 1).id));
  CHECK(bench.store.forget_old_removals().value() == 0);
  bench.now += std::chrono::hours(60);
  CHECK(bench.store.forget_old_removals().value() == 1);
  CHECK_FALSE(bench.store.knows(trace_of(1, 1).id).value());
  CHECK(bench.store.knows(trace_of(2, 1).id).value());
  for (std::uint8_t id = 10; id < 20; ++id) {
    bench.add(id);
    bench.now += std::chrono::seconds(1);
    REQUIRE(bench.store.remove(trace_of(id, 1).id));
  }
  REQUIRE(bench.store.forget_old_removals());
  CHECK(bench.store.known()->size() == 5);
  CHECK(bench.store.knows(trace_of(19, 1).id).value());
}

TEST_CASE("what a user has removed stays known though very many traces of others have no room") {
  store_bench bench;
  bench.add(1);
  REQUIRE(bench.store.remove(trace_of(1, 1).id));
  bench.now += std::chrono::seconds(1);
  for (std::uint8_t image = 10; image < 18; ++image) bench.add(image, image);
  REQUIRE(bench.store.trim_orphans({}, {.count_max = 0})->traces == 8);
  CHECK(bench.store.forget_old_removals().value() == 4);
  CHECK(bench.store.add(trace_of(1, 1)).value() == trace_store::outcome::known);
}

TEST_CASE("what an earlier version has removed is forgotten a whole time later") {
  store_bench bench;
  REQUIRE(bench.metadata->put(table{"traced"}, as_key(trace_of(1, 1).id.value), ""));
  const auto again = bench.open();
  CHECK(again->add(trace_of(1, 1)).value() == trace_store::outcome::known);
  bench.now += std::chrono::hours(101);
  CHECK(again->forget_old_removals().value() == 1);
  CHECK(again->add(trace_of(1, 1)).value() == trace_store::outcome::added);
}

TEST_CASE("traces of unknown images have a limit, and those of known ones stay") {
  store_bench bench;
  for (std::uint8_t id = 1; id <= 3; ++id) bench.add(id, 1);
  for (std::uint8_t image = 10; image < 20; ++image) bench.add(image, image);
  CHECK(bench.store.trim_orphans({trace_of(0, 1).toc}, {.count_max = 4}).value().traces == 6);
  CHECK(bench.count(1) == 3);
  CHECK(bench.count(15) == 0);
  CHECK(bench.count(16) == 1);
  CHECK(bench.store.trim_orphans({trace_of(0, 1).toc}, {.bytes_max = 0}).value().traces == 4);
}

TEST_CASE("a trace that had no room may come again once its image is here, also after a restart") {
  store_bench bench;
  bench.add(1, 1);
  bench.add(2, 2);
  REQUIRE(bench.store.trim_orphans({}, {.count_max = 0})->traces == 2);
  CHECK(bench.store.add(trace_of(1, 1)).value() == trace_store::outcome::known);
  const auto again = bench.open();
  CHECK(again->had_no_room().value() == std::set<toc_id>{trace_of(0, 1).toc, trace_of(0, 2).toc});
  CHECK(again->let_return({trace_of(0, 1).toc}).value() == 1);
  CHECK(again->returns() == 1);
  CHECK(again->had_no_room().value() == std::set<toc_id>{trace_of(0, 2).toc});
  CHECK(again->add(trace_of(1, 1)).value() == trace_store::outcome::added);
  CHECK(again->add(trace_of(2, 2)).value() == trace_store::outcome::known);
}

TEST_CASE("a trace that a user has removed, or that later ones have superseded, does not come again") {
  store_bench bench;
  for (std::uint8_t id = 1; id <= 4; ++id) bench.add(id);  // there is room for three
  bench.add(5, 2);
  REQUIRE(bench.store.remove(trace_of(2, 1).id));
  REQUIRE(bench.store.remove_orphans({})->traces == 3);
  CHECK(bench.store.had_no_room()->empty());
  CHECK(bench.store.let_return({trace_of(0, 1).toc, trace_of(0, 2).toc}).value() == 0);
  for (std::uint8_t id = 1; id <= 4; ++id)
    CHECK(bench.store.add(trace_of(id, 1)).value() == trace_store::outcome::known);
}

TEST_CASE(
    "a trace that had no room is forgotten like others that were removed, and when a user takes it in") {
  store_bench bench;
  bench.add(1, 1);
  bench.add(2, 1);
  REQUIRE(bench.store.trim_orphans({}, {.count_max = 0})->traces == 2);
  REQUIRE(bench.store.forget(trace_of(1, 1).id));
  bench.now += std::chrono::hours(101);
  CHECK(bench.store.forget_old_removals().value() == 1);
  CHECK(bench.store.had_no_room()->empty());
  CHECK(bench.store.known()->empty());
}

TEST_CASE("a trace that cannot be read is left out and told of") {
  store_bench bench;
  bench.add(1);
  bench.add(2);
  const auto key =
      std::string(as_key(trace_of(1, 1).toc.value)) + std::string(as_key(trace_of(1, 1).id.value));
  REQUIRE(bench.metadata->put(table{"trace"}, key, "no trace"));
  int told = 0;
  const auto left = bench.store.of_image(trace_of(1, 1).toc, [&](const error&) { ++told; });
  CHECK(left->size() == 1);
  CHECK(told == 1);
}

TEST_CASE("an image is to be learned until that is done, over restarts") {
  store_bench bench;
  bench.add(1, 1);
  bench.add(2, 2);
  REQUIRE(bench.store.learned(trace_of(0, 1).toc));
  CHECK(bench.open()->unlearned().value() == std::set<toc_id>{trace_of(0, 2).toc});
  REQUIRE(bench.store.remove_all(trace_of(0, 1).toc));
  CHECK(bench.store.unlearned()->size() == 2);
  REQUIRE(bench.store.to_learn({trace_of(0, 2).toc, trace_of(0, 3).toc}));
  CHECK(bench.open()->unlearned()->size() == 3);
}

TEST_CASE("images that an earlier version has learned are learned anew, once") {
  store_bench bench;
  bench.add(1, 1);
  bench.add(2, 2);
  for (std::uint8_t image = 1; image <= 2; ++image) REQUIRE(bench.store.learned(trace_of(0, image).toc));
  CHECK(bench.open()->unlearned()->empty());
  REQUIRE(bench.metadata->erase(table{"trace-store"}, "learned"));
  CHECK(bench.open()->unlearned().value() == std::set<toc_id>{trace_of(0, 1).toc, trace_of(0, 2).toc});
  for (std::uint8_t image = 1; image <= 2; ++image) REQUIRE(bench.store.learned(trace_of(0, image).toc));
  CHECK(bench.open()->unlearned()->empty());
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

TEST_CASE("a word about recording can be taken back, and all can be listed") {
  using state = trace_switches::state;
  using subject = trace_switches::subject;
  store_bench bench;
  trace_switches switches(*bench.metadata);
  CHECK(switches.list()->empty());
  REQUIRE(switches.set(subject::group, "shop", state::on));
  REQUIRE(switches.set(subject::image, "app:2", state::on));
  REQUIRE(switches.set(subject::image, "app:1", state::off));
  REQUIRE(switches.set(subject::all, "", state::off));
  CHECK(switches.list().value() == std::vector<trace_switches::word>{{subject::all, "", state::off},
                                                                     {subject::image, "app:1", state::off},
                                                                     {subject::image, "app:2", state::on},
                                                                     {subject::group, "shop", state::on}});
  REQUIRE(switches.clear(subject::image, "app:1"));
  CHECK(switches.find("app:1", "shop").value() == state::on);
  REQUIRE(switches.clear(subject::group, "shop"));
  CHECK(switches.find("app:1", "shop").value() == state::off);
  REQUIRE(switches.clear(subject::all, ""));
  CHECK_FALSE(switches.find("app:1", "shop").value());
  REQUIRE(switches.clear(subject::group, "nobody"));
  CHECK(switches.list()->size() == 1);
}

TEST_CASE("starts are counted for each image") {
  store_bench bench;
  trace_switches switches(*bench.metadata);
  CHECK(switches.count_start(trace_of(0, 1).toc).value() == 1);
  CHECK(switches.count_start(trace_of(0, 1).toc).value() == 2);
  CHECK(switches.count_start(trace_of(0, 2).toc).value() == 1);
}
