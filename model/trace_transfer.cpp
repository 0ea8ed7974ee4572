#include "model/trace_transfer.hpp"

#include <algorithm>

#include "model/name_shape.hpp"

namespace firstlight {
namespace {

constexpr std::uint32_t small_file_blocks = 16;
constexpr std::uint32_t slack_share = 512;  // of a file's blocks, on each side of a run

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
  const auto slack = 1 + blocks_now / slack_share;
  const auto scaled = [&](std::uint64_t block) { return block * blocks_now / blocks_before; };
  const auto first = std::min<std::uint64_t>(scaled(run.first), blocks_now - 1);
  const auto end = scaled(std::uint64_t{run.first} + run.count) + 1;
  const auto from = static_cast<std::uint32_t>(first - std::min<std::uint64_t>(first, slack));
  const auto to = static_cast<std::uint32_t>(std::min<std::uint64_t>(end + slack, blocks_now));
  return {from, to - from, run.access, run.wait};
}

}  // namespace firstlight
