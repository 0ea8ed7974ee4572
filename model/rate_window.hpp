#pragma once
#include <array>
#include <cstdint>

#include "model/instant.hpp"

namespace firstlight {

/// RATE WINDOW: how many bytes something has passed in its last second, in slots of a tenth of that. Time
/// comes from the caller and does not run backwards.
class rate_window {
 public:
  explicit rate_window(instant begun) : begun_(begun) {}

  void add(std::uint64_t bytes, instant now);
  /// Of what is younger than a second over its whole life, of which a tenth of a second counts at least.
  [[nodiscard]] std::uint64_t bytes_per_second(instant now) const;

 private:
  static constexpr std::chrono::milliseconds slot_time{100};
  static constexpr std::int64_t slots = 10;
  struct slot {
    std::int64_t number = -1;
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] std::int64_t number_at(instant now) const { return (now - begun_) / slot_time; }

  instant begun_;
  std::array<slot, slots> last_{};  ///< each at its number modulo `slots`
};

}  // namespace firstlight
