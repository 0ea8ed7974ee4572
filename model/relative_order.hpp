#pragma once
#include <span>
#include <unordered_set>

#include "model/plan.hpp"

namespace firstlight {

/// How the files of an image stand to those of a relative, whose starts teach its order. By content number.
struct relative_files {
  std::unordered_set<std::uint32_t>
      expected;                               ///< stand for a file that was expected of the relative untraced
  std::unordered_set<std::uint32_t> read;     ///< stand for a file that its starts read
  std::unordered_set<std::uint32_t> changed;  ///< those of them that are another version
};

struct relative_order_limits {
  std::uint64_t news_bytes_max = 1U << 20U;     ///< of files that the relative says nothing of
  std::uint64_t changed_bytes_max = 8U << 20U;  ///< of files that have changed, besides what it teaches
  std::uint64_t midway_bytes_max = 1U << 20U;   ///< of one such file, in between
};

/// Adds to what a relative's starts teach what they cannot: a miss costs a round trip, in which a fast link
/// sends a MiB. Pure. All its runs are expected to be read.
/// - News: the guess of files that the relative has nothing like (a library that is new), behind the first
/// run
///   of the file before them in the guess, as loaders read libraries in turn.
/// - What the relative needed by its guess and this image does not (a library that is gone): behind all else
///   that was learned.
/// - What is left of a file that has changed: midway in its runs, where a start has begun with it, if that is
///   little beside what was read of it. Else behind what was learned, the file of which most was read first.
/// - The rest of the guess, behind all that.
/// @param learned   of the relative's starts, moved to this image; only its guessed runs count
/// @param guess     what is expected without any trace
/// @param contents  the content table of the image; runs outside of it are dropped
[[nodiscard]] content_order order_of_relative(const content_order& learned, std::span<const block_run> guess,
                                              const relative_files& files,
                                              std::span<const content_info> contents, block_geometry geometry,
                                              const relative_order_limits& limits = {});

}  // namespace firstlight
