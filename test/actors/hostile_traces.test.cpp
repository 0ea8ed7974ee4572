#include "test/actors/aggregator_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

TEST_CASE("hostile traces are refused, counted and change nothing") {
  aggregator_bench bench;
  auto hostile = start_of(bench.image, 1, {"c"});
  SECTION("a file that the image has not") {
    hostile.files[0].path = "d";
  }
  SECTION("a path out of the image") {
    hostile.files[0].path = "../c";
  }
  SECTION("blocks behind the end") {
    hostile.files[0].runs[0].first = 7;
  }
  SECTION("a block twice") {
    hostile.files[0].runs.push_back({0, 1, 2ms, 0ms});
  }
  SECTION("a time that cannot be") {
    hostile.files[0].access = -5s;
  }
  SECTION("the future") {
    hostile.started = now + 1000h;
  }
  SECTION("too much") {
    bench.hub.learning.traces.files_max = 3;
    for (const std::string name : {"a", "b", "x", "y"}) hostile.files.push_back({name, 1ms, 0ms, {}});
  }
  const auto before = bench.hub.catalogue->order(bench.image.record.toc).value();
  CHECK_FALSE(bench.report(hostile));
  bench.learn();
  CHECK(bench.told->orders.empty());
  CHECK(bench.hub.catalogue->order(bench.image.record.toc).value() == before);
  CHECK(bench.status().refused == 1);
  CHECK(bench.status().refusals.at(0).starts_with("n1: "));
}

TEST_CASE("bytes that are no trace are refused") {
  aggregator_bench bench;
  const auto answer = bench.stage.ask<trace_kept>(
      bench.aggregator, trace_report{share(std::vector<std::byte>(100, std::byte{0x55})), "n1"});
  bench.stage.run();
  CHECK(answer->value().error().code == errc::corrupt);
}

namespace {

/// What a hub has learned of an image that came after these traces.
struct learned_late {
  stored_order order;
  std::vector<std::string> expected;
  std::uint64_t refused = 0;
};

/// `late` is the image's table of contents elsewhere.
learned_late learn_late(const toc_id& late, const std::vector<std::pair<trace, std::string>>& traces) {
  aggregator_bench bench;
  for (const auto& [recorded, node] : traces) REQUIRE(bench.report(recorded, node));
  bench.learn();
  CHECK(bench.told->orders.empty());
  const auto image = bench.hub.add("example.com/late:1", tar_of({"x", "y", "z"}));
  REQUIRE(image.record.toc == late);
  REQUIRE(bench.status().refused == 0);
  learned_late at_once{bench.hub.catalogue->order(image.record.toc).value(), bench.expected(image)};
  for (int i = 0; i < 2; ++i) {
    caf::anon_send(bench.aggregator, learn_again{image.record.toc});
    bench.learn();
    CHECK(bench.hub.catalogue->order(image.record.toc).value() == at_once.order);
    const auto refused = std::exchange(at_once.refused, bench.status().refused);
    if (i > 0) CHECK(at_once.refused == refused);  // each is counted once
  }
  return at_once;
}

}  // namespace

TEST_CASE("traces that came before their image and do not fit it change nothing once it is there") {
  const auto late = [] {
    const test_authority authority;
    return hub_stores(authority).add("example.com/late:1", tar_of({"x", "y", "z"}));
  }();
  const auto hostile = [&](std::uint8_t id) {
    auto made = start_of(late, id, {"z", "x"});
    made.started = now - 1s;  // the newest of all
    return made;
  };
  std::vector<std::pair<trace, std::string>> bad;
  for (std::uint8_t id = 100; id < 120; ++id) {  // more than count of one node
    bad.emplace_back(hostile(id), "liar");
    bad.back().first.files[0].path = "no such file";
  }
  bad.emplace_back(hostile(120), "n1");
  bad.back().first.files[1].runs[0].first = 7;  // behind the end
  bad.emplace_back(hostile(121), "n1");
  bad.back().first.files[1].path = "usr/bin/of-another-image";

  const std::vector<std::pair<trace, std::string>> good{{start_of(late, 1, {"y"}), "n1"},
                                                        {start_of(late, 2, {"y", "x"}), "n1"},
                                                        {start_of(late, 3, {"y"}), "n2"}};
  const auto several = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{3});
  const std::vector<std::pair<trace, std::string>> believed(
      good.begin(), good.begin() + static_cast<std::ptrdiff_t>(several));
  auto all = bad;
  all.insert(all.end(), believed.begin(), believed.end());
  const auto without = learn_late(late.record.toc, believed);
  const auto with = learn_late(late.record.toc, all);
  CHECK(with.order == without.order);
  CHECK(with.expected == without.expected);
  CHECK(with.order.traces == several);
  CHECK(without.refused == 0);
  CHECK(with.refused == bad.size());
  if (several == 1) CHECK(with.expected == std::vector<std::string>{"y"});
}
