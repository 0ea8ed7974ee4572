#include "model/rate_window.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;
using namespace std::chrono_literals;

namespace {
const instant begin{5s};
}

TEST_CASE("a rate is that of the last second, not of all that was before") {
  rate_window rate(begin);
  for (auto time = 0ms; time < 5s; time += 100ms) rate.add(1'000, begin + time);
  CHECK(rate.bytes_per_second(begin + 5s) == Approx(10'000).epsilon(0.15));
  for (auto time = 5'000ms; time < 6'500ms; time += 100ms) rate.add(50, begin + time);
  CHECK(rate.bytes_per_second(begin + 6'500ms) == Approx(500).epsilon(0.15));
  CHECK(rate.bytes_per_second(begin + 7'600ms) == 0);
}

TEST_CASE("the rate of what has just begun is that of its whole life") {
  rate_window rate(begin);
  CHECK(rate.bytes_per_second(begin) == 0);
  rate.add(1'000, begin);
  CHECK(rate.bytes_per_second(begin + 1ms) == 10'000);
  CHECK(rate.bytes_per_second(begin + 500ms) == 2'000);
}
