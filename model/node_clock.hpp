#pragma once
#include <chrono>

namespace firstlight {

/// When a start began, was told to a hub, and was heard of there. Since the epoch.
struct told_start {
  std::chrono::nanoseconds started{0};   ///< by the node's clock
  std::chrono::nanoseconds sent{0};      ///< by the node's clock; 0: the node does not say
  std::chrono::nanoseconds received{0};  ///< by the hub's clock; not negative
};

/// When it began by the hub's clock. A node's clock is right as far as a hub can tell if the start was sent
/// before it was received, and by no more than `error_max`: that may have been its way. One that is ahead, or
/// further behind, was so when the start began: what lay between that and the sending is believed. A start
/// that was sent before it began is left as it is, for whoever checks it. Pure.
[[nodiscard]] std::chrono::nanoseconds start_by_hub_clock(const told_start& told,
                                                          std::chrono::nanoseconds error_max);

}  // namespace firstlight
