#pragma once
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/blocks.hpp"

namespace firstlight {

/// Names one parked reader, chosen by the caller (e.g. the kernel's request number).
enum class waiter_id : std::uint64_t {};

struct readiness_limits {
  std::uint32_t waiters_max = 65'536;  ///< parked at once on one mount
  std::uint32_t blocks_per_waiter_max = 4096;
};

/// The readers of one mount that wait for blocks, and which blocks were asked for out of turn. Owned by one
/// actor; not thread-safe. Each operation is O(log n) for each block or waiter it concerns, however many
/// others wait.
class readiness {
 public:
  explicit readiness(readiness_limits limits = {}) : limits_(limits) {}

  /// Parks a reader until all of `missing` (runs of one content, from `block_set::missing`, not empty) is
  /// there.
  /// @returns the runs to send as a want now: those that nobody has asked for yet; may be empty.
  /// Errors, and the reader is not parked: `already_exists` if it is parked, `busy` at `waiters_max`,
  /// `invalid_argument` for no run or for more than `blocks_per_waiter_max` blocks.
  result<std::vector<block_run>> park(waiter_id waiter, std::span<const block_run> missing);

  /// How many of these blocks readers wait for.
  [[nodiscard]] std::uint32_t awaited(std::span<const block_run> runs) const;

  /// Blocks are there. @returns the readers that now have all they waited for, in order of the blocks.
  [[nodiscard]] std::vector<waiter_id> arrived(std::span<const block_run> runs);

  /// Blocks will not come. @returns the readers that waited for any of them; they are no longer parked.
  [[nodiscard]] std::vector<waiter_id> failed(std::span<const block_run> runs);

  /// The reader was killed. @returns whether it was parked: then the caller owes its answer.
  bool forget(waiter_id waiter);

  /// Takes all readers out (unmount). @returns them.
  [[nodiscard]] std::vector<waiter_id> clear();

  /// The link is back, or the hub forgot what it was asked. @returns all runs that readers still wait for;
  /// they count as asked.
  [[nodiscard]] std::vector<block_run> re_ask();

  [[nodiscard]] std::size_t waiting() const { return waiters_.size(); }

 private:
  struct wait {
    std::uint32_t content = 0;
    std::uint32_t block = 0;
    waiter_id waiter{};
    friend auto operator<=>(const wait&, const wait&) = default;
  };
  struct parked {
    std::vector<block_run> runs;
    std::uint32_t blocks_missing = 0;
  };

  /// Takes all waits on the run out and hands their waiters to `each`.
  template <class Each>
  void take_waits(const block_run& run, Each each);

  readiness_limits limits_;
  std::set<wait> waits_;
  std::set<std::uint64_t> asked_;  ///< content << 32 | block
  std::unordered_map<waiter_id, parked> waiters_;
};

}  // namespace firstlight
