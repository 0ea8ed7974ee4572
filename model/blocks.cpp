#include "model/blocks.hpp"

namespace firstlight {

block_set block_set::from_words(std::uint32_t blocks, std::span<const std::uint64_t> words) {
  block_set set(blocks);
  for (std::uint32_t block = 0; block < blocks && block / 64 < words.size(); ++block)
    if (((words[block / 64] >> (block % 64)) & 1U) != 0) set.insert(block, 1);
  return set;
}

bool block_set::contains(std::uint32_t first, std::uint32_t count) const {
  const auto end = std::min<std::uint64_t>(blocks_, std::uint64_t{first} + count);
  for (std::uint64_t block = first; block < end; ++block)
    if (!contains(static_cast<std::uint32_t>(block))) return false;
  return true;
}

void block_set::insert(std::uint32_t first, std::uint32_t count) {
  const auto end = std::min<std::uint64_t>(blocks_, std::uint64_t{first} + count);
  for (std::uint64_t block = first; block < end; ++block) {
    auto& word = words_[block / 64];
    const auto bit = std::uint64_t{1} << (block % 64);
    set_ += (word & bit) == 0 ? 1 : 0;
    word |= bit;
  }
}

void block_set::erase(std::uint32_t first, std::uint32_t count) {
  const auto end = std::min<std::uint64_t>(blocks_, std::uint64_t{first} + count);
  for (std::uint64_t block = first; block < end; ++block) {
    auto& word = words_[block / 64];
    const auto bit = std::uint64_t{1} << (block % 64);
    set_ -= (word & bit) != 0 ? 1 : 0;
    word &= ~bit;
  }
}

std::vector<block_run> block_set::missing(std::uint32_t content, std::uint32_t first,
                                          std::uint32_t count) const {
  std::vector<block_run> runs;
  const auto end = std::min<std::uint64_t>(blocks_, std::uint64_t{first} + count);
  for (std::uint64_t at = first; at < end; ++at) {
    const auto block = static_cast<std::uint32_t>(at);
    if (contains(block)) continue;
    if (!runs.empty() && runs.back().first + runs.back().count == block)
      ++runs.back().count;
    else
      runs.push_back({content, block, 1});
  }
  return runs;
}

}  // namespace firstlight
