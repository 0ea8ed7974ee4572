#include "model/warmup.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

/// Answers round by round over a link whose rate doubles each round up to `bytes_per_second`.
/// @returns the time that the warm-up took.
std::chrono::nanoseconds run(warmup& core, double bytes_per_second, std::chrono::nanoseconds round_trip) {
  const instant start{};
  auto now = start;
  for (double rate = 500'000; !core.over(); rate = std::min(rate * 2, bytes_per_second)) {
    std::vector<std::uint32_t> pieces;
    while (const auto bytes = core.next(now)) pieces.push_back(*bytes);
    if (pieces.empty()) break;
    const auto sent = now;
    now += round_trip;
    for (const auto bytes : pieces) {
      now += std::chrono::nanoseconds(static_cast<std::int64_t>(bytes / rate * 1e9));
      core.answered(bytes, now - sent, now);
    }
  }
  return now - start;
}

}  // namespace

TEST_CASE("a warm-up ends when the delivery rate no longer grows, and knows rate and round trip") {
  warmup core({.bytes_max = 1U << 30, .time_max = 60s}, instant{});
  run(core, 4e6, 100ms);
  CHECK(core.over());
  CHECK(core.bytes_per_second() == Approx(4e6).epsilon(0.05));
  CHECK(core.round_trip() >= 100ms);
  CHECK(core.round_trip() < 250ms);
  CHECK(core.bytes_sent() < 64'000'000);
}

TEST_CASE("a warm-up keeps its limits of bytes and time") {
  warmup bytes({.bytes_max = 1'000'000, .time_max = 60s}, instant{});
  run(bytes, 1e12, 1ms);
  CHECK(bytes.bytes_sent() == 1'000'000);
  CHECK(bytes.over());
  warmup time({.time_max = 500ms}, instant{});
  run(time, 1e9, 200ms);
  CHECK(time.over());
  CHECK(time.bytes_sent() < warmup_limits{}.bytes_max);
}

TEST_CASE("useful bytes end a warm-up at once") {
  warmup core({}, instant{});
  CHECK(core.next(instant{}));
  core.stop();
  CHECK(core.over());
  CHECK_FALSE(core.next(instant{}));
}

TEST_CASE("a warm-up that is switched off sends nothing") {
  warmup core({.enabled = false}, instant{});
  CHECK(core.over());
  CHECK_FALSE(core.next(instant{}));
}

TEST_CASE("a round waits for its answers before the next begins") {
  warmup core({.first_round_bytes = 100'000, .piece_bytes = 60'000}, instant{});
  CHECK(core.next(instant{}) == 60'000U);
  CHECK(core.next(instant{}) == 40'000U);
  CHECK_FALSE(core.next(instant{}));
  core.answered(60'000, 10ms, instant{} + 10ms);
  CHECK_FALSE(core.next(instant{} + 10ms));
  core.answered(40'000, 11ms, instant{} + 11ms);
  CHECK(core.next(instant{} + 11ms) == 60'000U);
}

TEST_CASE("a warm-up needs few bytes more than the link holds, and says that it knows the rate") {
  warmup core({.bytes_max = 1U << 30, .time_max = 60s}, instant{});
  run(core, 12.5e6, 100ms);
  CHECK(core.conclusive());
  CHECK(core.bytes_sent() < 40'000'000);  // one flat round is enough when it is large
  warmup cut({.bytes_max = 1'000'000, .time_max = 60s}, instant{});
  run(cut, 12.5e6, 100ms);
  CHECK_FALSE(cut.conclusive());
}
