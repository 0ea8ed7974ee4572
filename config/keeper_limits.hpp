#pragma once
#include <chrono>
#include <cstdint>

namespace firstlight {

/// Limits of the keeper, the process that holds a node's mounts while the node itself is away.
struct keeper_limits {
  std::chrono::milliseconds takeover_wait{600'000};   ///< then the mounts of a node that died end; 0: at once
  std::chrono::milliseconds answer_timeout{5'000};    ///< of a node for its keeper
  std::chrono::milliseconds restart_interval{1'000};  ///< between attempts to replace a keeper that has ended
  std::chrono::milliseconds killed_check_interval{50};  ///< of readers that a signal has reached meanwhile
  std::uint32_t kept_mounts_max = 4096;
  std::uint32_t message_bytes_max = 64U << 10U;  ///< one mount's record among them
};

}  // namespace firstlight
