#pragma once
#include <vector>

#include "model/blocks.hpp"

namespace firstlight {

/// Appends a run, or lengthens the last one when the run goes on where it ends.
inline void append_run(std::vector<block_run>& runs, const block_run& run) {
  if (!runs.empty() && runs.back().content == run.content &&
      runs.back().first + runs.back().count == run.first)
    runs.back().count += run.count;
  else
    runs.push_back(run);
}

/// One number for each block of an image, ascending as (content, block).
[[nodiscard]] constexpr std::uint64_t block_key(std::uint32_t content, std::uint64_t block) {
  return (std::uint64_t{content} << 32U) + block;
}

}  // namespace firstlight
