#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "model/instant.hpp"

namespace firstlight {

struct credit_limits {
  std::uint64_t window_bytes_start = 1024 * 1024;  ///< before anything is measured
  std::uint64_t window_bytes_min = 256 * 1024;
  std::uint64_t window_bytes_max = 32 * 1024 * 1024;
  std::uint64_t unverified_bytes_max = 16 * 1024 * 1024;  ///< what a node may have to hold in memory
  std::uint32_t gain_percent = 130;                       ///< window / bandwidth-delay product; above 100
  std::uint32_t pace_percent = 125;                       ///< of the measured rate; see `credit::pace`
  std::uint64_t pace_bytes_per_second_min = 1024 * 1024;  ///< no slower: `window_bytes_min` is no burst then
  std::uint32_t rate_rounds = 10;                         ///< round trips over which the best rate is kept
  std::chrono::milliseconds round_trip_window{10'000};    ///< how long the least round trip is believed
};

/// Byte credit of one session: how much may be on the link so that it never runs dry, and a want never
/// waits much longer than a round trip. The window follows (best recent delivery rate) x (least recent
/// round trip), apart from what has arrived of the oldest segments: receipts are for whole segments, so
/// between two of them it is reckoned from the rate. What the far side has received but not verified is off
/// the link; it has a limit of its own. When the least round trip has not been seen for `round_trip_window`,
/// the window shrinks below the product for a moment to see it again. Owned by one actor; not thread-safe.
class credit {
 public:
  explicit credit(credit_limits limits = {});

  /// Takes over what a warm-up or the kernel has measured. Zero values are ignored.
  void seed(double bytes_per_second, std::chrono::nanoseconds round_trip, instant now);

  /// The rate that was seeded is what the link carries: the window need not double any more to find it. It
  /// still follows the measured rate, up and down.
  void settle();

  /// Whether a segment may leave now, of whatever size: one may overshoot the window. Always when nothing is
  /// unanswered.
  [[nodiscard]] bool may_send(instant now) const;
  /// How long until that changes by itself, as the link goes on at its rate; nothing if only a receipt or an
  /// answer changes it.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> may_send_in(instant now) const;

  /// `bytes` as on the wire leave under a token that is not in flight (a sequence number of the session).
  void sent(std::uint64_t token, std::uint64_t bytes, instant now);

  /// The far side has all of it: its bytes are off the link. Told once or never; unknown tokens are ignored.
  void received(std::uint64_t token, instant now);

  /// Segments arrive over so many connections side by side: one until told.
  void connections(std::uint32_t count) { connections_ = std::max(count, 1U); }

  /// What a packet's round trip is now, as the kernel smooths it (tcpi_rtt of tcp_info). Unlike a segment's
  /// it holds no wait in this machine's own socket, so it alone tells a queue on the link: growing on would
  /// only lengthen that, until packets are dropped. Zero is ignored.
  void packet_round_trip(std::chrono::nanoseconds smoothed);

  /// The far side has verified it, or will not. Unknown tokens are ignored.
  void answered(std::uint64_t token, instant now);

  /// There is nothing to send although credit is left: rates measured now say nothing against the link. The
  /// same holds without this call for whatever leaves while less than three quarters of the window are used.
  void nothing_to_send();

  [[nodiscard]] std::uint64_t window_bytes() const { return window_; }
  [[nodiscard]] std::uint64_t in_flight_bytes() const { return in_flight_; }
  /// Zero before the first measurement.
  [[nodiscard]] double bytes_per_second() const;
  [[nodiscard]] std::chrono::nanoseconds round_trip() const;

  /// Bytes per second at which the window should leave: faster is a burst that a short queue on the way
  /// drops, and one lost packet holds up all that is behind it. While the window grows, the pace carries at
  /// least one window each round trip: a fresh connection's own slow start must not take it for the link's
  /// rate. And it is never below `pace_bytes_per_second_min`: what arrived behind a stall was measured as
  /// slow, and the pace would make that last. Nothing before the first measurement.
  [[nodiscard]] std::optional<double> pace() const;

 private:
  struct flight {
    std::uint64_t bytes = 0;
    instant at;
    std::uint64_t delivered = 0;  ///< of the session when it left
    instant delivered_at;
    instant first_sent_at;  ///< of the flight of bytes whose delivery is measured
    bool source_limited = false;
    bool received = false;
  };
  struct rate_sample {
    std::uint64_t round = 0;
    double rate = 0;
  };
  [[nodiscard]] std::uint64_t product() const;
  /// What may be arriving: as many segments as there are connections, the oldest.
  struct arrivals {
    std::uint64_t bytes = 0;
    instant since;
  };
  [[nodiscard]] std::optional<arrivals> arriving() const;
  [[nodiscard]] std::uint64_t arrived(instant now) const;
  [[nodiscard]] std::chrono::nanoseconds transfer(std::uint64_t bytes) const;
  void resume(instant now);
  void keep_rate(double rate, bool source_limited);
  void keep_round_trip(const flight& received, instant now);
  void next_round();
  void grow();
  void look_again();
  void resize();

  credit_limits limits_;
  std::uint64_t window_ = 0;
  std::uint64_t in_flight_ = 0;
  std::uint64_t unanswered_ = 0;
  std::map<std::uint64_t, flight> flights_;

  std::uint32_t connections_ = 1;
  std::uint64_t carried_ = 0;  ///< reckoned as arrived at the last receipt, beyond what that was for

  std::uint64_t delivered_ = 0;
  instant delivered_at_;
  instant first_sent_at_;
  std::uint64_t source_limited_until_ = 0;  ///< value of delivered_ from which on rates count again

  std::uint64_t round_ = 0;
  std::uint64_t round_ends_ = 0;   ///< flights that left at this value of delivered_ begin a new round
  std::deque<rate_sample> rates_;  ///< falling rates: the first is the best
  bool growing_ = true;            ///< until the rate stays flat although the window grows
  bool round_limited_ = false;     ///< the source ran dry in this round
  double flat_from_ = 0;
  std::uint32_t flat_rounds_ = 0;

  std::chrono::nanoseconds round_trip_{0};
  instant round_trip_at_;
  std::chrono::nanoseconds packet_round_trip_least_{0};
  std::optional<instant>
      probe_from_;  ///< set while the window is small to see the round trip without a queue
};

}  // namespace firstlight
