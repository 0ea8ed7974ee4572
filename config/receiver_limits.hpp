#pragma once
#include <chrono>
#include <cstdint>

namespace firstlight {

/// Limits of taking one delivery in on a node.
struct receiver_limits {
  std::uint64_t checkpoint_bytes = 16ULL << 20U;       ///< stored since the last checkpoint: make the next
  std::chrono::milliseconds checkpoint_interval{500};  ///< and after this time, if anything has been stored
  std::uint32_t damaged_attempts_max = 3;              ///< how often a damaged block is asked for again
  /// Before a reader starts a failed delivery again, and before a hub is asked again that could not answer.
  std::chrono::milliseconds retry_failed_after{2'000};
  std::chrono::milliseconds progress_interval{100};  ///< between two progress messages
  std::uint32_t early_segments_max = 256;            ///< kept while their TOC is on its way
  std::uint32_t had_images_max = 4;                  ///< other images that a pull names as held
};

}  // namespace firstlight
