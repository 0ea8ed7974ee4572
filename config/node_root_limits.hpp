#pragma once
#include <chrono>
#include <cstdint>

namespace firstlight {

/// Limits of a node's daemon as a whole.
struct node_root_limits {
  std::uint32_t mounts_max = 4096;
  std::uint32_t deliveries_max = 64;                  ///< at once
  std::uint32_t ended_deliveries_shown = 32;          ///< kept for `status`
  std::chrono::milliseconds report_timeout{2'000};    ///< for a receiver or an instance to report itself
  std::chrono::milliseconds unmount_timeout{30'000};  ///< for an instance to take its mount down
  /// How long `umount` waits until nobody uses the file system any more that is gone from its place.
  std::chrono::milliseconds last_user_wait{5'000};
  /// A mount that has failed is looked at again after `last_user_wait`, then ever less often, down to this.
  std::chrono::milliseconds failed_look_wait_max{60'000};
  std::uint32_t failed_looks_max = 5;  ///< in a row that find nothing to wait for
};

}  // namespace firstlight
