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

TEST_CASE("of many images that come at once one pass finds which traces may come again") {
  aggregator_bench bench;
  bench.hub.learning.orphans = {.count_max = 0};
  hub_stores elsewhere(bench.authority);
  constexpr std::uint8_t count = 5;
  const auto add = [](hub_stores& to, std::uint8_t i) {
    return to.add("example.com/one" + std::to_string(i) + ":1", tar_of({"own" + std::to_string(i)}));
  };
  for (std::uint8_t i = 1; i <= count; ++i)
    REQUIRE(bench.report(start_of(add(elsewhere, i), i, {"own" + std::to_string(i)})));
  bench.learn();
  for (std::uint8_t i = 1; i <= count; ++i) REQUIRE(bench.hub.traces->knows(id_of(i)).value());

  // Other hubs compare all ids anew after each pass that has found some.
  const auto epoch = [&] {
    const auto answer =
        bench.stage.ask<peer_answer>(bench.aggregator, peer_question{share(encode_inquiry(ids_question{}))});
    bench.stage.run();
    return std::get<ids_answer>(decode_reply(answer->value().value().encoded.bytes).value()).epoch;
  };
  const auto before = epoch();
  for (std::uint8_t i = 1; i <= count; ++i)
    caf::anon_send(bench.aggregator, learn_again{add(bench.hub, i).record.toc});
  bench.learn();
  for (std::uint8_t i = 1; i <= count; ++i) CHECK_FALSE(bench.hub.traces->knows(id_of(i)).value());
  CHECK(epoch() == before + 1);
}
