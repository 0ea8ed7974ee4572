#include "model/retry.hpp"

#include <catch2/catch.hpp>

#include "model/redelivery.hpp"
#include "model/retry_after.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

TEST_CASE("pauses double up to their maximum, and begin anew after a success") {
  retry core({.first = 100ms, .max = 1000ms}, [] { return 0.999999; });
  std::vector<std::chrono::milliseconds> pauses;
  for (int i = 0; i < 6; ++i) pauses.push_back(core.failed().value());
  CHECK(pauses == std::vector<std::chrono::milliseconds>{99ms, 199ms, 399ms, 799ms, 999ms, 999ms});
  core.succeeded();
  CHECK(core.failed() == 99ms);
}

TEST_CASE("a pause is anywhere between 1 ms and its bound") {
  CHECK(retry({.first = 100ms, .max = 1000ms}, [] { return 0.0; }).failed() == 1ms);
  CHECK(retry({.first = 100ms, .max = 1000ms}, [] { return 0.5; }).failed() == 50ms);
}

TEST_CASE("retrying ends at the limit of attempts") {
  retry core({.first = 1ms, .max = 1ms, .attempts_max = 3}, [] { return 0.5; });
  CHECK(core.failed());
  CHECK(core.failed());
  CHECK_FALSE(core.failed());
}

TEST_CASE("thousands of failures do not overflow the pause") {
  retry core({.first = 100ms, .max = 15s}, [] { return 0.999999; });
  for (int i = 0; i < 5000; ++i) CHECK(core.failed().value() < 15s);
}

TEST_CASE("a server says in seconds how long to stay away") {
  CHECK(parse_retry_after("0") == 0s);
  CHECK(parse_retry_after("120") == 120s);
  CHECK(parse_retry_after("86401") == 24h);
  CHECK(parse_retry_after("99999999999999999999") == 24h);
  for (const auto* other : {"", "-1", " 5", "5 s", "1.5", "Fri, 31 Dec 1999 23:59:59 GMT"})
    CHECK_FALSE(parse_retry_after(other));
}

TEST_CASE("a damaged block is asked for again a few times, then given up") {
  redelivery core(2);
  const std::vector<block_run> runs{{4, 7, 2}};
  CHECK(core.damaged(runs).again == runs);
  CHECK(core.damaged(runs).again == runs);
  const auto last = core.damaged(runs);
  CHECK(last.again.empty());
  CHECK(last.given_up == runs);
}

TEST_CASE("a block that arrived whole may be damaged as often again") {
  redelivery core(1);
  const std::vector<block_run> both{{4, 7, 2}};
  const std::vector<block_run> one{{4, 7, 1}};
  CHECK(core.damaged(both).again == both);
  core.arrived(one);
  const auto next = core.damaged(both);
  CHECK(next.again == one);
  CHECK(next.given_up == std::vector<block_run>{{4, 8, 1}});
}
