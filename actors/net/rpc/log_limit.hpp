#pragma once
#include <cstdint>

#include "model/instant.hpp"

namespace firstlight {

/// Lets a few log lines of one kind pass each second, so that a hostile or broken peer cannot fill the disk.
/// Not thread-safe.
class log_limit {
 public:
  explicit log_limit(std::uint32_t per_second = 5) : per_second_(per_second) {}

  /// Whether to write this line.
  bool pass() {
    const auto now = std::chrono::steady_clock::now();
    if (now - since_ >= std::chrono::seconds(1)) {
      since_ = now;
      passed_ = 0;
    }
    const bool passes = passed_ < per_second_;
    passes ? ++passed_ : ++suppressed_;
    return passes;
  }
  /// How many lines did not pass since the last time this was asked.
  std::uint64_t take_suppressed() {
    const auto count = suppressed_;
    suppressed_ = 0;
    return count;
  }

 private:
  std::uint32_t per_second_;
  std::uint32_t passed_ = 0;
  std::uint64_t suppressed_ = 0;
  instant since_{};
};

}  // namespace firstlight
