#include "model/node_clock.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

constexpr auto hub_now = std::chrono::nanoseconds(1'700'000'000s);

/// Of a start that was sent 20 s after it began, by a node whose clock is ahead by so much.
std::chrono::nanoseconds began(std::chrono::nanoseconds ahead) {
  return start_by_hub_clock({hub_now + ahead - 20s, hub_now + ahead, hub_now}, 24h);
}

}  // namespace

TEST_CASE("a start begins when its node says if that node's clock may be right") {
  CHECK(began(0s) == hub_now - 20s);
  CHECK(began(-3s) == hub_now - 23s);  // it was on its way for so long
  CHECK(began(-24h) == hub_now - 24h - 20s);
  CHECK(start_by_hub_clock({hub_now - 1h, 0s, hub_now}, 24h) == hub_now - 1h);
}

TEST_CASE("a start that a node with a wrong clock tells of began as long ago as that node says") {
  CHECK(began(1ns) == hub_now - 20s);
  CHECK(began(1h) == hub_now - 20s);
  CHECK(began(-24h - 1ns) == hub_now - 20s);
  CHECK(start_by_hub_clock({100s, 130s, hub_now}, 24h) == hub_now - 30s);  // its clock began with 1970
}

TEST_CASE("times that cannot be stay what they are, and none overflows") {
  constexpr auto last = std::chrono::nanoseconds::max();
  CHECK(start_by_hub_clock({-5s, hub_now, hub_now}, 24h) == -5s);
  CHECK(start_by_hub_clock({hub_now + 2h, hub_now + 1h, hub_now}, 24h) == hub_now + 2h);
  CHECK(start_by_hub_clock({hub_now, -last, hub_now}, 24h) == hub_now);
  CHECK(start_by_hub_clock({last, last, hub_now}, 24h) == hub_now);
  CHECK(start_by_hub_clock({0s, last, 0s}, 24h) == -last);
}
