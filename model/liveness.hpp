#pragma once
#include <chrono>

#include "model/instant.hpp"

namespace firstlight {

/// Heartbeats of one connection: when to ask the peer for a sign of life and when to call it gone. Any
/// message counts as a sign. Not thread-safe.
class liveness {
 public:
  enum class verdict : std::uint8_t { fine, ping, gone };

  /// A peer that has been silent for `silence_max` (positive) is gone; it is pinged after a third of it.
  liveness(std::chrono::milliseconds silence_max, instant now)
      : silence_max_(silence_max), heard_(now), pinged_(now) {}

  void heard(instant now) { heard_ = now; }

  /// What to do now. `ping` is given once a third of `silence_max`, and the caller sends one then.
  [[nodiscard]] verdict check(instant now);

  /// When `check` may next say something else than `fine`.
  [[nodiscard]] instant next_check() const;
  [[nodiscard]] std::chrono::nanoseconds silence(instant now) const { return now - heard_; }

 private:
  std::chrono::nanoseconds silence_max_;
  instant heard_;
  instant pinged_;
};

}  // namespace firstlight
