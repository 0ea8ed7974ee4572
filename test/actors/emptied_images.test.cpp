#include "test/actors/aggregator_bench.hpp"

using namespace firstlight;

TEST_CASE("of many images that lose their traces at once the followers are found in one search") {
  aggregator_bench bench;
  constexpr std::uint8_t count = 20;
  std::vector<known_image> followers;
  for (std::uint8_t i = 0; i < count; ++i) {
    const auto repository = "example.com/one" + std::to_string(i);
    followers.push_back(bench.hub.add(repository + ":2", tar_of({"shared", "own" + std::to_string(i)})));
    auto elsewhere = start_of(followers.back(), i, {"shared"});
    elsewhere.toc.value.bytes[0] ^= std::byte{1};
    elsewhere.reference = repository + ":1";
    REQUIRE(bench.report(elsewhere, ""));
  }
  bench.learn();
  for (const auto& one : followers) REQUIRE(bench.hub.catalogue->order(one.record.toc)->traces == 1);

  const auto pieces = std::make_shared<int>();
  caf::anon_send_exit(std::exchange(bench.aggregator, bench.spawn(bench.stage.workers(pieces))),
                      caf::exit_reason::kill);
  bench.hub.learning.orphans = {.count_max = 0};
  REQUIRE(bench.report(start_of(bench.image, 100, {"c"})));
  bench.learn();
  for (const auto& one : followers) CHECK(bench.hub.catalogue->order(one.record.toc)->relative.empty());
  CHECK(bench.hub.traces->unlearned()->empty());
  // Each emptied image and the one with the trace is looked at, and each follower once; two searches.
  CHECK(*pieces == 2 * count + 1 + 2);
}
