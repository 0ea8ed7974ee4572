#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

namespace firstlight {

/// All values are positive.
struct failed_look_limits {
  std::chrono::milliseconds wait_first;  ///< before the first look; doubles each time, up to:
  std::chrono::milliseconds wait_max;
  std::uint32_t in_vain_max;  ///< looks in a row that find nothing to wait for
};

/// When a mount that has failed is looked at again, and when no more: nobody tells of its last user. Of the
/// looks that are to come only the one planned last counts. Not thread-safe.
class failed_looks {
 public:
  struct look {
    std::uint64_t number = 0;           ///< from 1
    std::chrono::milliseconds wait{0};  ///< from now
    friend bool operator==(const look&, const look&) = default;
  };

  explicit failed_looks(failed_look_limits limits) : limits_(limits) {}

  /// It has just failed, or somebody wants it to go: looks begin anew.
  [[nodiscard]] look begin();

  /// A look has found that programs use it. @returns the next one
  [[nodiscard]] look in_use();

  /// A look has found nothing to wait for. @returns the next one; nothing: no more is worth it
  [[nodiscard]] std::optional<look> in_vain();

  /// Whether this look has not been replaced by a later one.
  [[nodiscard]] bool counts(std::uint64_t number) const { return number == planned_.number; }

 private:
  look plan_next();

  failed_look_limits limits_;
  look planned_{};
  std::uint32_t in_vain_ = 0;  ///< in a row
};

}  // namespace firstlight
