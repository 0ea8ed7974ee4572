#pragma once
#include <chrono>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/delta.hpp"
#include "model/transfer.hpp"

namespace firstlight {

/// What a node holds of the contents of one TOC.
struct had_contents {
  block_set complete;                                    ///< over the content table; may be empty: holds none
  std::unordered_map<std::uint32_t, block_set> partial;  ///< by content index; the rest of `complete`

  [[nodiscard]] bool has_all(std::uint32_t content) const { return complete.contains(content); }
};

/// Blocks in the order in which a start is believed to read them, the first needed first. Runs may repeat,
/// overlap, be incomplete, or lie outside the image (they are ignored): the first mention of a block counts.
struct content_order {
  std::vector<block_run> runs;
  std::size_t guessed_runs = 0;  ///< how many leading runs a start is expected to read
  /// When a start is expected to read each of the leading runs, since its first access: rising. Those behind
  /// are read later; empty: not known.
  std::vector<std::chrono::milliseconds> positions{};
  /// What share of the starts that taught it, by weight, have read the leading runs: 1 to 100 percent, 0 for
  /// a run that none is known to have read. Plans do without; empty: not known.
  std::vector<std::uint8_t> read_percents{};
};

/// Of what no start is expected to read.
inline constexpr auto never_expected = std::chrono::milliseconds::max();

/// How a plan is cut. All values are positive.
struct plan_limits {
  std::uint32_t first_segment_bytes = 128 * 1024;  ///< unpacked; each second segment doubles it, up to:
  std::uint32_t segment_bytes_max = 1024 * 1024;   ///< unpacked
  std::uint32_t segment_runs_max = 1024;
  std::uint32_t patch_piece_bytes = 4 * 1024 * 1024;  ///< a patched content travels in aligned pieces of this
};

/// One segment to build: the bytes of `runs` in this order.
struct planned_segment {
  std::vector<block_run> runs;
  std::uint32_t bytes = 0;                 ///< unpacked, the sum over all runs
  std::optional<content_info> patch_base;  ///< set: `runs` are of one content and compressed against this one
  /// When a start is expected to read the first of it; zero if it is expected to, and not known when.
  std::chrono::milliseconds expected{never_expected};
  friend bool operator==(const planned_segment&, const planned_segment&) = default;
};

struct planned_landmark {
  landmark mark = landmark::guessed;
  std::uint32_t after = 0;  ///< passed when the segments [0, after) have arrived
  friend bool operator==(const planned_landmark&, const planned_landmark&) = default;
};

struct bundle_plan {
  std::vector<planned_segment> segments;    ///< in sending order
  std::vector<planned_landmark> landmarks;  ///< exactly `guessed`, then `complete`
  std::uint64_t bytes = 0;                  ///< unpacked, of all segments
  friend bool operator==(const bundle_plan&, const bundle_plan&) = default;
};

struct plan_request {
  std::span<const content_info> contents;  ///< the content table of the wanted TOC
  block_geometry geometry;
  const had_contents& had;
  const content_order& order;
  std::span<const patch_base> patches;  ///< at most one a content; whole contents that the node has as bases
  plan_limits limits;
};

/// Decides what to send and in which order: the guessed runs of the order, its other runs, the rest of the
/// contents it touches, then all others, small before large. Pure: equal requests give equal plans.
///
/// Every block that the node lacks is in exactly one segment, no other block in any. Segments are cut by the
/// position in the order of the whole image, not by what a node lacks, so that nodes that hold different
/// parts still share most segments (and the hub's cache of built ones); what is left of segments that a node
/// holds in part is merged. A patched content travels alone, in whole pieces, at its first mention.
/// A segment exceeds `segment_bytes_max` only as a patch piece or if one block does.
[[nodiscard]] bundle_plan plan_bundle(const plan_request& request);

}  // namespace firstlight
