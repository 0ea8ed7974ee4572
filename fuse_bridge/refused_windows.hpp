#pragma once
#include <cstdint>
#include <deque>
#include <mutex>
#include <set>
#include <tuple>

namespace firstlight {

/// Remembers which windows of the kernel's read-ahead were refused, so that each is refused once. Any thread.
class refused_windows {
 public:
  explicit refused_windows(std::uint32_t remembered_max) : remembered_max_(remembered_max) {}

  /// @returns whether this window may be refused: not if it was the last time it came.
  [[nodiscard]] bool refuse(std::uint64_t node, std::uint64_t offset, std::uint32_t bytes) {
    const std::lock_guard lock(mutex_);
    const window asked{node, offset, bytes};
    if (known_.erase(asked) != 0) return false;
    known_.insert(asked);
    order_.push_back(asked);
    if (order_.size() > remembered_max_) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  using window = std::tuple<std::uint64_t, std::uint64_t, std::uint32_t>;
  std::mutex mutex_;
  std::set<window> known_;
  std::deque<window> order_;  ///< of refusals, the oldest first; may name what is known no more
  std::uint32_t remembered_max_;
};

}  // namespace firstlight
