#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace firstlight {

struct retry_limits {
  std::chrono::milliseconds first{100};  ///< upper bound of the first pause; doubles each time, up to:
  std::chrono::milliseconds max{15'000};
  std::uint32_t attempts_max = 0;  ///< failures in a row before giving up; 0: never give up
};

/// Decides how long to pause before the next attempt: exponential backoff with full jitter, so that many
/// that failed together do not come back together. Not thread-safe.
class retry {
 public:
  /// Gives a number in [0, 1).
  using random = std::function<double()>;

  retry(retry_limits limits, random source) : limits_(limits), random_(std::move(source)) {}

  /// An attempt failed. @returns the pause before the next, at least 1 ms; nothing: give up.
  [[nodiscard]] std::optional<std::chrono::milliseconds> failed();

  /// An attempt succeeded: the next pause is a first one again.
  void succeeded() { failures_ = 0; }

 private:
  retry_limits limits_;
  random random_;
  std::uint32_t failures_ = 0;
};

}  // namespace firstlight
