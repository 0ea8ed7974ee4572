#include "model/trace_transfer.hpp"

#include <algorithm>

#include "model/name_shape.hpp"

namespace firstlight {

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

std::optional<std::uint32_t> file_mapping::find(const file_content& of_relative) const {
  if (const auto same = by_path_.find(of_relative.path); same != by_path_.end()) return same->second;
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
  if (blocks_before == blocks_now || blocks_before == 0 || blocks_now == 0) return run;
  const auto place = [&](std::uint64_t block) {
    return static_cast<std::uint32_t>(block * blocks_now / blocks_before);
  };
  const auto first = std::min(place(run.first), blocks_now - 1);
  const auto scaled_end = (std::uint64_t{run.first} + run.count) * blocks_now;
  const auto end = static_cast<std::uint32_t>((scaled_end + blocks_before - 1) / blocks_before);
  const auto count = std::max({end > first ? end - first : 1U, run.count});
  return {first, std::min(count, blocks_now - first), run.access, run.wait};
}

}  // namespace firstlight
