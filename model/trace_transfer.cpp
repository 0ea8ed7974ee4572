#include "model/trace_transfer.hpp"

#include <algorithm>

#include "model/name_shape.hpp"

namespace firstlight {
namespace {

constexpr std::uint32_t small_file_blocks = 16;
// Of a file's blocks, on each side of a run. What differs more in size has been moved about more.
constexpr std::uint32_t slack_share = 512;
constexpr std::uint32_t changed_slack_share = 64;
constexpr std::uint32_t much_share = 64;  // of the larger version's blocks, by which they differ

bool changed_much(std::uint32_t blocks_before, std::uint32_t blocks_now) {
  const auto [less, more] = std::minmax(blocks_before, blocks_now);
  return std::uint64_t{more - less} * much_share > more;
}

}  // namespace

file_mapping::file_mapping(std::span<const file_content> files, std::span<const content_info> contents) {
  for (std::uint32_t i = 0; i < contents.size(); ++i) by_content_.emplace(contents[i].id, i);
  for (const auto& file : files) {
    const auto content = by_content_.find(file.content.id);
    if (content == by_content_.end()) continue;
    by_path_.emplace(file.path, content->second);
    by_plain_path_[without_versions(file.path)].push_back(content->second);
    by_plain_name_[without_versions(base_name(file.path))].push_back(content->second);
  }
}

std::optional<std::uint32_t> file_mapping::find_path(const std::string& path) const {
  const auto same = by_path_.find(path);
  return same == by_path_.end() ? std::nullopt : std::optional(same->second);
}

std::optional<std::uint32_t> file_mapping::find(const file_content& of_relative) const {
  if (const auto same = find_path(of_relative.path)) return same;
  if (const auto same = by_content_.find(of_relative.content.id); same != by_content_.end())
    return same->second;
  const auto only = [](const index& in, const std::string& key) -> std::optional<std::uint32_t> {
    const auto found = in.find(key);
    if (found == in.end()) return std::nullopt;
    const auto& all = found->second;
    const bool one = std::all_of(all.begin(), all.end(), [&](std::uint32_t each) { return each == all[0]; });
    return one ? std::optional(all[0]) : std::nullopt;
  };
  if (const auto like = only(by_plain_path_, without_versions(of_relative.path))) return like;
  return only(by_plain_name_, without_versions(base_name(of_relative.path)));
}

traced_run scaled_run(const traced_run& run, std::uint32_t blocks_before, std::uint32_t blocks_now) {
  if (blocks_before == 0 || blocks_now == 0) return run;
  if (blocks_now <= small_file_blocks) return {0, blocks_now, run.access, run.wait};
  const auto slack =
      1 + blocks_now / (changed_much(blocks_before, blocks_now) ? changed_slack_share : slack_share);
  const auto scaled = [&](std::uint64_t block) { return block * blocks_now / blocks_before; };
  const auto first = std::min<std::uint64_t>(scaled(run.first), blocks_now - 1);
  const auto end = scaled(std::uint64_t{run.first} + run.count) + 1;
  const auto from = static_cast<std::uint32_t>(first - std::min<std::uint64_t>(first, slack));
  const auto to = static_cast<std::uint32_t>(std::min<std::uint64_t>(end + slack, blocks_now));
  return {from, to - from, run.access, run.wait};
}

parted_guess part_guess(std::span<const block_run> expected,
                        const std::unordered_set<std::uint32_t>& relatives,
                        std::span<const content_info> contents, block_geometry geometry,
                        std::uint64_t news_bytes_max) {
  parted_guess parts;
  for (const auto& run : expected) {
    if (run.content >= contents.size()) continue;
    const auto bytes = geometry.length(contents[run.content].size, run.first, run.count);
    const bool is_news = !relatives.contains(run.content) && bytes <= news_bytes_max;
    if (is_news) news_bytes_max -= bytes;
    (is_news ? parts.news : parts.rest).push_back(run);
  }
  return parts;
}

}  // namespace firstlight
