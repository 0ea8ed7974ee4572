#pragma once
#include <span>
#include <unordered_map>
#include <vector>

#include "model/blocks.hpp"

namespace firstlight {

/// Counts how often each block of one delivery arrived damaged: ask again a few times, then give up, so that
/// a broken hub or disk ends in a clear error instead of a loop. Not thread-safe.
class redelivery {
 public:
  /// A block is asked for again at most `attempts_max` times.
  explicit redelivery(std::uint32_t attempts_max) : attempts_max_(attempts_max) {}

  struct decision {
    std::vector<block_run> again;     ///< to be asked for with `urgency::again`
    std::vector<block_run> given_up;  ///< readers of these fail
  };

  /// These blocks did not match their digest.
  [[nodiscard]] decision damaged(std::span<const block_run> runs);

  /// These have been verified: their counts are forgotten.
  void arrived(std::span<const block_run> runs);

 private:
  std::uint32_t attempts_max_;
  std::unordered_map<std::uint64_t, std::uint32_t> counts_;  ///< content << 32 | block
};

}  // namespace firstlight
