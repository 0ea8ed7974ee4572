#include "model/freshness.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;
using namespace std::chrono_literals;

TEST_CASE("an image that is not known is always looked up") {
  CHECK(decide_freshness({.checked_at = {}, .pinned = true, .now = 5, .interval = 60s}) == freshness::check);
}

TEST_CASE("a known image by digest is never looked up again") {
  CHECK(decide_freshness({.checked_at = 0, .pinned = true, .now = 1'000'000, .interval = 60s}) ==
        freshness::use);
}

TEST_CASE("a tag is looked up once in an interval") {
  CHECK(decide_freshness({.checked_at = 1000, .now = 1059, .interval = 60s}) == freshness::use);
  CHECK(decide_freshness({.checked_at = 1000, .now = 1060, .interval = 60s}) == freshness::check);
  CHECK(decide_freshness({.checked_at = 1000, .now = 1000, .interval = 0s}) == freshness::check);
}

TEST_CASE("a clock that was set back does not stop look-ups for ever") {
  CHECK(decide_freshness({.checked_at = 1000, .now = 990, .interval = 60s}) == freshness::use);
  CHECK(decide_freshness({.checked_at = 1000, .now = 900, .interval = 60s}) == freshness::check);
}
