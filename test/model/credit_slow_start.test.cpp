#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>

#include "model/credit.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds step = 1ms;
constexpr double step_seconds = 0.001;

/// A kernel's socket with BBR, as far as a fresh connection goes: it begins with ten packets a round trip and
/// takes the best rate that it saw for the link's as soon as three rounds in a row brought less than a fourth
/// more. From then on it sends a fourth faster at most. Source: BBR's start-up phase
/// (draft-cardwell-iccrg-bbr).
class fresh_socket {
 public:
  fresh_socket(double link, nanoseconds round_trip) : link_(link), round_trip_(round_trip) {}

  void write(double bytes) { waiting_ += bytes; }

  /// @returns what left in this step under the application's pace
  double advance(double pace) {
    const double round = std::chrono::duration<double>(round_trip_).count();
    const double allowed =
        std::min({pace, gain() * std::max(best_, window_start / round), link_}) * step_seconds;
    const double left = std::min(waiting_, allowed);
    waiting_ -= left;
    round_left_ += left;
    round_full_ = round_full_ && left >= allowed;
    if ((since_ += step) >= round_trip_) end_round(round);
    return left;
  }

  [[nodiscard]] bool believes() const { return flat_ >= 3; }
  [[nodiscard]] double believed() const { return best_; }

 private:
  static constexpr double window_start = 14'480;
  [[nodiscard]] double gain() const { return believes() ? 1.25 : 2.885; }

  void end_round(double round) {
    const double rate = round_left_ / round;
    if (!believes() && round_full_) flat_ = rate >= best_ * 1.25 ? 0 : flat_ + 1;
    best_ = believes() ? best_ : std::max(best_, rate);
    since_ = 0ns;
    round_left_ = 0;
    round_full_ = true;
  }

  double link_;
  nanoseconds round_trip_;
  double waiting_ = 0;
  double best_ = 0;
  int flat_ = 0;
  nanoseconds since_ = 0ns;
  double round_left_ = 0;
  bool round_full_ = true;
};

struct segment_on_way {
  std::uint64_t token = 0;
  double until = 0;  ///< its last byte, counted from the first of all
  instant received = instant::max();
};

/// A delivery of segments over a connection that has just been made, by the credit's window and pace.
nanoseconds time_to_send(double total, double link, nanoseconds round_trip) {
  credit meter;
  fresh_socket kernel(link, round_trip);
  constexpr std::uint64_t segment_bytes = 350'000;
  std::deque<segment_on_way> on_way;
  double written = 0;
  double left = 0;
  std::uint64_t token = 0;
  instant now;
  meter.seed(0, round_trip, now);
  meter.packet_round_trip(round_trip);
  while (left < total && now < instant{} + 10min) {
    while (written < total && meter.may_send(now)) {
      meter.sent(++token, segment_bytes, now);
      kernel.write(segment_bytes);
      on_way.push_back({token, written += segment_bytes});
    }
    left += kernel.advance(meter.pace().value_or(1e12));
    for (auto& one : on_way)
      if (one.received == instant::max() && one.until <= left + 1) one.received = now + round_trip;
    for (; !on_way.empty() && on_way.front().received <= now; on_way.pop_front()) {
      meter.received(on_way.front().token, now);
      meter.answered(on_way.front().token, now);
      meter.packet_round_trip(round_trip);
    }
    now += step;
  }
  return now - instant{};
}

}  // namespace

TEST_CASE("credit does not take a connection's slow start for a queue, nor hold it up by its pace") {
  const auto round_trip = GENERATE(20ms, 100ms, 300ms);
  constexpr double link = 12.5e6;
  constexpr double total = 59e6;
  const auto taken = time_to_send(total, link, round_trip);
  INFO(round_trip / 1ms << " ms: " << taken / 1ms << " ms");
  // What the link alone takes, a slow start of ten round trips, and a fifth for what is left idle.
  const auto bare = nanoseconds(static_cast<std::int64_t>(total / link * 1.2e9));
  CHECK(taken <= bare + 10 * round_trip);
}

TEST_CASE("credit stops growing when packets take longer than they did") {
  credit meter;
  meter.packet_round_trip(100ms);
  meter.seed(5e6, 100ms, instant{});
  const auto growing = *meter.pace();
  meter.packet_round_trip(120ms);
  CHECK(*meter.pace() == growing);
  meter.packet_round_trip(0ms);
  meter.packet_round_trip(130ms);
  CHECK(*meter.pace() == 5e6 * credit_limits{}.pace_percent / 100);
}
