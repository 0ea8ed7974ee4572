#pragma once
#include <cstdint>
#include <optional>

#include "model/instant.hpp"

namespace firstlight {

struct warmup_limits {
  bool enabled = true;
  std::uint32_t first_round_bytes = 256 * 1024;
  std::uint32_t piece_bytes = 64 * 1024;       ///< of one padding message
  std::uint64_t bytes_max = 16 * 1024 * 1024;  ///< of all rounds together
  std::chrono::milliseconds start_after{250};  ///< joining: a pull that comes at once has the link to itself
  std::chrono::milliseconds time_max{6'000};
  std::uint32_t growth_percent = 25;  ///< below this a round counts as flat
  std::uint32_t flat_rounds_max = 3;  ///< after so many in a row the window is open; after one that was
                                      ///< larger than two bandwidth-delay products, too
};

/// Decides how much padding opens the window of fresh connections: rounds that double until the delivery rate
/// stops growing, a limit is reached, or there are useful bytes to send. Owned by one session.
///
/// Use: send padding while `next` gives a size; report each answer; call `next` again.
class warmup {
 public:
  warmup(warmup_limits limits, instant now);

  /// Bytes of the next padding message to send now; nothing while the round waits for its answers, or when
  /// the warm-up is over.
  [[nodiscard]] std::optional<std::uint32_t> next(instant now);

  /// A padding message has been answered, `elapsed` after it was handed to the link.
  void answered(std::uint32_t bytes, std::chrono::nanoseconds elapsed, instant now);

  /// Useful bytes are there (or the link ended): no padding from now on.
  void stop() { over_ = true; }

  [[nodiscard]] bool over() const { return over_; }
  /// The link carried all that it can: the rate stopped growing.
  [[nodiscard]] bool conclusive() const { return conclusive_; }
  [[nodiscard]] std::uint64_t bytes_sent() const { return sent_; }
  /// Best measured, for `credit::seed`; zero if nothing was measured.
  [[nodiscard]] double bytes_per_second() const { return rate_; }
  [[nodiscard]] std::chrono::nanoseconds round_trip() const { return round_trip_; }

 private:
  void end_round(instant now);
  [[nodiscard]] bool larger_than_link() const;

  warmup_limits limits_;
  instant started_;
  bool over_ = false;
  bool conclusive_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t round_bytes_ = 0;  ///< size of this round
  std::uint64_t round_sent_ = 0;
  std::uint64_t round_answered_ = 0;
  std::uint64_t first_answer_bytes_ = 0;
  instant first_answer_at_;
  std::uint32_t flat_rounds_ = 0;
  double rate_ = 0;
  std::chrono::nanoseconds round_trip_{0};
};

}  // namespace firstlight
