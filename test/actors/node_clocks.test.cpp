#include "test/actors/aggregator_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

/// By a node whose clock shows `sent`.
result<trace_kept> report_at(aggregator_bench& bench, const trace& recorded, std::chrono::nanoseconds sent) {
  const auto answer =
      bench.stage.ask<trace_kept>(bench.aggregator, trace_report{share(encode_trace(recorded, sent)), "n1"});
  bench.stage.run();
  REQUIRE(answer->has_value());
  return **answer;
}

}  // namespace

TEST_CASE("starts of a node whose clock is ahead stay as far apart as they were") {
  aggregator_bench bench;
  auto first = start_of(bench.image, 1, {"c"});
  auto second = start_of(bench.image, 2, {"a"});
  first.started = now + 1h - 20s;
  second.started = now + 1h - 19s;
  REQUIRE(report_at(bench, first, now + 1h));
  REQUIRE(report_at(bench, second, now + 1h));
  CHECK(bench.hub.traces->find(first.id).value()->started == now - 20s);
  CHECK(bench.hub.traces->find(second.id).value()->started == now - 19s);
}

TEST_CASE("a start of a node that does not know the time teaches too") {
  aggregator_bench bench;
  auto early = start_of(bench.image, 1, {"c"});
  early.started = 100s;
  REQUIRE(report_at(bench, early, 130s));
  CHECK(bench.hub.traces->find(early.id).value()->started == now - 30s);
  auto late = start_of(bench.image, 2, {"c"});
  late.started = now + 1000h - 20s;
  REQUIRE(report_at(bench, late, now + 1000h));
  CHECK(bench.hub.traces->find(late.id).value()->started == now - 20s);
}
