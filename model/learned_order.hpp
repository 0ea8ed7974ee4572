#pragma once
#include <span>

#include "model/plan.hpp"
#include "model/trace.hpp"

namespace firstlight {

/// One file of a trace as the contents of an image have it.
struct content_access {
  std::uint32_t content = 0;
  std::chrono::nanoseconds access{0};
  std::vector<traced_run> runs;      ///< empty: opened only
  std::chrono::nanoseconds wait{0};  ///< without runs: how long the file waited for our delivery
};

/// One start, and how much it counts.
struct observed_start {
  std::vector<content_access> accesses;
  double weight = 1;  ///< above 0
};

struct learned_order_limits {
  double likely_share = 0.2;  ///< of all starts, by weight: blocks that fewer have read are not expected
  std::uint64_t opened_bytes_max =
      256 * 1024;  ///< of a file that was opened and never seen read: its beginning
};

/// Merges starts of one image into the order in which the next one is expected to read it: each block at the
/// weighted median of its first accesses, less what our own delivery had made that start wait before; times
/// count from a start's first access of all. Blocks that few starts have read come behind the others, not
/// guessed. A file that a start has only opened counts with the blocks that other starts have read of it, and
/// for nothing where the start has read blocks of the same content by another path. Of each run
/// `read_percents` has the share of that block which most starts have read. Pure; the order of `starts` does
/// not matter.
/// @param contents  the content table of the image; what lies outside is ignored
[[nodiscard]] content_order learn_order(std::span<const observed_start> starts,
                                        std::span<const content_info> contents, block_geometry geometry,
                                        const learned_order_limits& limits = {});

/// A start without what it waited for: the times at which it would have read, had all been there.
[[nodiscard]] observed_start without_waits(const observed_start& start);

}  // namespace firstlight
