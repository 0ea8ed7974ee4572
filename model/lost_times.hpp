#pragma once
#include <chrono>
#include <compare>
#include <vector>

namespace firstlight {

/// Something that a start waited for: from when, and how long.
struct waited_span {
  std::chrono::nanoseconds from{0};  ///< since the start
  std::chrono::nanoseconds wait{0};
  friend auto operator<=>(const waited_span&, const waited_span&) = default;
};

/// LOST TIMES: what a start has lost by waiting for our delivery. Of waits that overlap only the time that
/// they cover together was lost.
class lost_times {
 public:
  /// In any order; waits that are not above zero say nothing.
  explicit lost_times(const std::vector<waited_span>& waits);

  /// When something would have happened without the waits before it. At most `when`; never reorders.
  [[nodiscard]] std::chrono::nanoseconds without(std::chrono::nanoseconds when) const;

 private:
  struct lost {
    std::chrono::nanoseconds from{0};
    std::chrono::nanoseconds until{0};
    std::chrono::nanoseconds sum{0};  ///< lost until its end
  };

  std::vector<lost> lost_;  ///< by time, apart from each other
};

}  // namespace firstlight
