#include "model/freshness.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;
using namespace std::chrono_literals;

TEST_CASE("an image that is not known is always looked up") {
  CHECK(decide_freshness({.checked_at = {}, .pinned = true, .now = 5s, .interval = 60s}) == freshness::check);
}

TEST_CASE("a known image by digest is never looked up again") {
  CHECK(decide_freshness({.checked_at = 0s, .pinned = true, .now = 1'000'000s, .interval = 60s}) ==
        freshness::use);
}

TEST_CASE("a tag is looked up once in an interval") {
  CHECK(decide_freshness({.checked_at = 1000s, .now = 1059s, .interval = 60s}) == freshness::use);
  CHECK(decide_freshness({.checked_at = 1000s, .now = 1060s, .interval = 60s}) == freshness::check);
  CHECK(decide_freshness({.checked_at = 1000s, .now = 1000s, .interval = 0s}) == freshness::check);
  CHECK(decide_freshness({.checked_at = 1000s, .now = 1'001'499ms, .interval = 1500ms}) == freshness::use);
  CHECK(decide_freshness({.checked_at = 1000s, .now = 1'001'500ms, .interval = 1500ms}) == freshness::check);
}

TEST_CASE("a source that was away is asked again after an interval, till then what is known has to do") {
  CHECK(decide_freshness({.checked_at = 1000s, .now = 5000s, .interval = 60s, .away_for = 0ms}) ==
        freshness::use_last_known);
  CHECK(decide_freshness({.checked_at = 1000s, .now = 5000s, .interval = 60s, .away_for = 59'999ms}) ==
        freshness::use_last_known);
  CHECK(decide_freshness({.checked_at = 1000s, .now = 5000s, .interval = 60s, .away_for = 60s}) ==
        freshness::check);
  CHECK(decide_freshness({.checked_at = 1000s, .now = 5000s, .interval = 0s, .away_for = 0ms}) ==
        freshness::check);
}

TEST_CASE("a source that was away changes nothing for what is not known, and nothing for a digest") {
  CHECK(decide_freshness({.checked_at = {}, .now = 5000s, .interval = 60s, .away_for = 1s}) ==
        freshness::check);
  CHECK(decide_freshness({.checked_at = 0s, .pinned = true, .now = 5000s, .interval = 60s, .away_for = 1s}) ==
        freshness::use);
}

TEST_CASE("a clock that was set back does not stop look-ups for ever") {
  CHECK(decide_freshness({.checked_at = 1000s, .now = 990s, .interval = 60s}) == freshness::use);
  CHECK(decide_freshness({.checked_at = 1000s, .now = 900s, .interval = 60s}) == freshness::check);
}
