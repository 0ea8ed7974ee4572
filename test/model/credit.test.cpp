#include "model/credit.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <queue>

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

using std::chrono::nanoseconds;

/// A link of one rate and round trip: segments queue before the slowest hop, answers come back unhindered.
struct wire {
  double bytes_per_second = 12.5e6;
  nanoseconds round_trip = 300ms;
  nanoseconds jitter = 0ms;  ///< every third answer is late by this: the far side computes
};

struct outcome {
  double utilisation = 0;        ///< of the link, after the warm-up time
  nanoseconds longest_queue{0};  ///< what a want would wait before the link, after the warm-up time
};

struct flight {
  instant answered;
  std::uint64_t token;
  nanoseconds queued;  ///< before the link
  friend bool operator>(const flight& l, const flight& r) { return l.answered > r.answered; }
};

/// A sender that always has segments of `bytes`, for as long as there is credit.
class simulation {
 public:
  simulation(wire on, credit& meter, std::uint64_t bytes) : on_(on), meter_(meter), bytes_(bytes) {}

  void become(wire on) { on_ = on; }

  outcome run(nanoseconds length) {
    const auto start = now_;
    nanoseconds busy = free_ > start ? free_ - start : 0ns;
    outcome seen;
    while (now_ - start < length) {
      while (meter_.may_send(now_)) {
        seen.longest_queue = std::max(seen.longest_queue, free_ - now_);
        busy += send();
      }
      const auto wait = meter_.may_send_in(now_);
      if (wait && now_ + std::max<nanoseconds>(*wait, 1ms) < flights_.top().answered) {
        now_ += std::max<nanoseconds>(*wait, 1ms);
        continue;
      }
      now_ = flights_.top().answered;
      meter_.packet_round_trip(on_.round_trip + flights_.top().queued);
      meter_.answered(flights_.top().token, now_);
      flights_.pop();
    }
    seen.utilisation = std::chrono::duration<double>(busy) / (std::max(free_, now_) - start);
    return seen;
  }

 private:
  nanoseconds send() {
    const auto seconds = static_cast<double>(bytes_) / on_.bytes_per_second;
    const auto transfer = nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
    const auto queued = std::max(free_, now_) - now_;
    free_ = now_ + queued + transfer;
    flights_.push({free_ + on_.round_trip + (token_ % 3 == 0 ? on_.jitter : 0ns), token_, queued});
    meter_.sent(token_++, bytes_, now_);
    return transfer;
  }

  wire on_;
  credit& meter_;
  std::uint64_t bytes_;
  instant now_;
  instant free_;  // when the wire has sent all that it was given
  std::priority_queue<flight, std::vector<flight>, std::greater<>> flights_;
  std::uint64_t token_ = 0;
};

double seconds(nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

}  // namespace

TEST_CASE("credit fills links of any rate and distance, and queues less than what fills them") {
  const auto [megabits, round_trip, bytes] =
      GENERATE(table<int, nanoseconds, std::uint64_t>({{100, 300ms, 350'000},
                                                       {100, 100ms, 350'000},
                                                       {100, 20ms, 60'000},
                                                       {1000, 100ms, 350'000},
                                                       {20, 300ms, 100'000},
                                                       {100, 300ms, 1'000'000},
                                                       {100, 100ms, 1'000'000}}));
  const wire on{megabits * 125'000.0, round_trip};
  credit meter;
  meter.seed(0, round_trip, instant{});  // as the kernel knows it from the connection's beginning
  simulation sender(on, meter, bytes);
  sender.run(20 * round_trip + 1s);  // the first window is a guess, and drains first
  const auto seen = sender.run(60s);
  const auto product = on.bytes_per_second * seconds(round_trip);
  const auto least = std::max(product, static_cast<double>(credit_limits{}.window_bytes_min));
  INFO(megabits << " Mbit/s, " << round_trip / 1ms << " ms, segments of " << bytes << ": " << seen.utilisation
                << ", queue " << seen.longest_queue / 1ms << " ms, window " << meter.window_bytes());
  CHECK(seen.utilisation >= 0.95);
  CHECK(seconds(seen.longest_queue) * on.bytes_per_second < least);
}

TEST_CASE("large segments do not queue longer than the window is wider than the link") {
  const auto bytes = GENERATE(100'000, 350'000, 1'000'000);
  credit meter;
  meter.seed(12.5e6, 100ms, instant{});
  meter.settle();
  simulation sender({12.5e6, 100ms}, meter, static_cast<std::uint64_t>(bytes));
  sender.run(1s);  // the first window leaves at once here
  const auto seen = sender.run(5s);
  INFO("segments of " << bytes << ": " << seen.utilisation << ", queue " << seen.longest_queue / 1ms
                      << " ms");
  CHECK(seen.utilisation >= 0.97);
  CHECK(seen.longest_queue <= 100ms * (credit_limits{}.gain_percent - 100) / 100);
}

TEST_CASE("credit fills a link over which several connections carry a segment each") {
  const auto connections = GENERATE(1U, 2U, 8U);
  const double rate = 12.5e6;
  credit meter;
  meter.connections(connections);
  meter.seed(rate, 300ms, instant{});
  meter.settle();
  std::vector<std::deque<std::pair<std::uint64_t, double>>> lines(connections);  // token, bytes left
  std::deque<std::pair<instant, std::uint64_t>> receipts;
  std::uint64_t token = 0;
  double carried = 0;
  instant now;
  for (; now < instant{} + 30s; now += 1ms) {
    for (; !receipts.empty() && receipts.front().first <= now; receipts.pop_front())
      meter.answered(receipts.front().second, now);
    while (meter.may_send(now)) {
      meter.sent(++token, 1'000'000, now);
      std::min_element(lines.begin(), lines.end(), [](const auto& a, const auto& b) {
        return a.size() < b.size();
      })->emplace_back(token, 1e6);
    }
    const auto busy = std::count_if(lines.begin(), lines.end(), [](const auto& one) { return !one.empty(); });
    for (auto& line : lines) {
      if (line.empty()) continue;
      const auto part = rate * 0.001 / static_cast<double>(busy);
      carried += part;
      if ((line.front().second -= part) > 0) continue;
      receipts.emplace_back(now + 300ms, line.front().first);
      line.pop_front();
    }
  }
  INFO(connections << " connections");
  CHECK(carried >= 0.98 * rate * 30);
}

TEST_CASE("credit grows to a far link within a few round trips") {
  credit meter;
  CHECK(simulation({12.5e6, 300ms}, meter, 100'000).run(3s).utilisation >= 0.8);
}

TEST_CASE("credit fills a far link although answers are late by a computation's time") {
  credit meter;
  simulation sender({12.5e6, 300ms, 60ms}, meter, 350'000);
  sender.run(3s);
  CHECK(sender.run(30s).utilisation >= 0.95);
}

TEST_CASE("a warm-up's measurement gives a window of the right size at once") {
  credit meter;
  meter.seed(12.5e6, 300ms, instant{});
  CHECK(meter.window_bytes() >= 3'750'000);
  CHECK(meter.window_bytes() <= 2 * 3'750'000 + 1);
  CHECK(simulation({12.5e6, 300ms}, meter, 350'000).run(10s).utilisation >= 0.95);
}

TEST_CASE("a settled rate keeps the queue short, and the window still follows a faster link") {
  credit meter;
  meter.seed(12.5e6, 100ms, instant{});
  meter.settle();
  const auto same = simulation({12.5e6, 100ms}, meter, 350'000).run(10s);
  CHECK(same.utilisation >= 0.95);
  CHECK(meter.window_bytes() <= 1'250'000 * 3 / 2 + 700'000);
  credit low;
  low.seed(2e6, 100ms, instant{});
  low.settle();
  CHECK(simulation({12.5e6, 100ms}, low, 350'000).run(20s).utilisation >= 0.85);
}

TEST_CASE("credit stays within its limits") {
  credit_limits limits;
  limits.window_bytes_max = 2'000'000;
  credit wide(limits);
  wide.seed(1e9, 1s, instant{});
  CHECK(wide.window_bytes() == limits.window_bytes_max);
  credit narrow(limits);
  narrow.seed(1e6, 1ms, instant{});
  CHECK(narrow.window_bytes() == limits.window_bytes_min);
}

TEST_CASE("one segment may always leave, however large") {
  credit meter;
  CHECK(meter.may_send(instant{}));
  meter.sent(1, 1ULL << 40, instant{});
  CHECK_FALSE(meter.may_send(instant{}));
  meter.answered(1, instant{} + 1s);
  CHECK(meter.in_flight_bytes() == 0);
  meter.answered(1, instant{} + 2s);
  CHECK(meter.in_flight_bytes() == 0);
}

TEST_CASE("what has been received frees the window, but is bounded until it has been verified") {
  credit_limits limits;
  limits.window_bytes_start = 1000;
  limits.unverified_bytes_max = 4000;
  credit meter(limits);
  auto now = instant{};
  meter.sent(1, 1000, now);
  CHECK(meter.may_send(now));  // the first may just be arriving
  meter.sent(2, 1000, now);
  CHECK_FALSE(meter.may_send(now));
  meter.received(1, now += 10ms);
  meter.received(1, now);
  CHECK(meter.in_flight_bytes() == 1000);
  CHECK(meter.may_send(now));
  meter.sent(3, 2000, now);
  meter.received(2, now += 10ms);
  meter.received(3, now += 10ms);
  CHECK(meter.in_flight_bytes() == 0);
  CHECK_FALSE(meter.may_send(now));
  CHECK_FALSE(meter.may_send_in(now));  // only an answer helps
  meter.answered(1, now);
  CHECK(meter.may_send(now));
  meter.answered(2, now);
  meter.answered(3, now);
}

TEST_CASE("between two receipts what the link has carried meanwhile frees the window, and no more") {
  credit meter;
  auto now = instant{};
  meter.seed(10e6, 100ms, now);
  meter.settle();  // a window of 1.3 MB
  for (std::uint64_t token = 1; token <= 2; ++token) meter.sent(token, 1'000'000, now);
  CHECK_FALSE(meter.may_send(now));
  CHECK_FALSE(meter.may_send(now + 100ms));  // no byte can have been acknowledged before
  const auto wait = meter.may_send_in(now);
  REQUIRE(wait);
  CHECK(*wait / 1ms == 170);
  CHECK_FALSE(meter.may_send(now + *wait - 1ms));
  CHECK(meter.may_send(now + *wait + 1ms));
  meter.sent(3, 1'000'000, now += *wait + 1ms);
  CHECK_FALSE(meter.may_send_in(now));     // more than the first segment would have to arrive
  CHECK_FALSE(meter.may_send(now + 10s));  // a link that is cut carries nothing
}

TEST_CASE("a source that runs dry does not make the link look slow") {
  credit meter;
  simulation({12.5e6, 100ms}, meter, 100'000).run(5s);
  const auto rate = meter.bytes_per_second();
  auto now = instant{} + 10s;
  for (std::uint64_t token = 1'000'000; token < 1'000'050; ++token) {
    meter.nothing_to_send();
    meter.sent(token, 1000, now);
    meter.answered(token, now += 100ms);
  }
  CHECK(rate == Approx(12.5e6).epsilon(0.05));
  CHECK(meter.bytes_per_second() >= rate * 0.95);
}

TEST_CASE("credit follows a link that becomes slower or nearer") {
  const auto changed = GENERATE(wire{2.5e6, 100ms}, wire{12.5e6, 30ms});
  credit meter;
  simulation sender({12.5e6, 100ms}, meter, 50'000);
  sender.run(5s);
  const auto before = meter.window_bytes();
  sender.become(changed);
  sender.run(90s);
  CHECK(meter.window_bytes() < before / 2);
  CHECK(sender.run(30s).utilisation >= 0.95);
}

TEST_CASE("credit follows a link that becomes farther") {
  credit meter;
  simulation sender({12.5e6, 50ms}, meter, 50'000);
  sender.run(5s);
  sender.become({12.5e6, 250ms});
  sender.run(30s);
  CHECK(sender.run(30s).utilisation >= 0.95);
}

TEST_CASE("what arrived behind a stall does not set the pace of all that follows") {
  credit meter;
  const instant start{};
  meter.sent(1, 1'200, start);
  meter.received(1, start + 20s);
  meter.answered(1, start + 20s);
  REQUIRE(meter.bytes_per_second() < 100);
  REQUIRE(meter.pace());
  CHECK(*meter.pace() >= static_cast<double>(credit_limits{}.pace_bytes_per_second_min));
}
