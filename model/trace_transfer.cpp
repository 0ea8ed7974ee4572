#include "model/trace_transfer.hpp"

#include <algorithm>

#include "model/name_shape.hpp"

namespace firstlight {
namespace {

constexpr std::uint32_t small_file_blocks = 16;
// Between anchors that are not further apart a version map tells to a page from where to where a run may be.
constexpr std::uint64_t anchor_distance_bytes = 64 * 1024;
constexpr std::uint64_t anchored_slack_bytes = 4096;
// Else of a file's blocks, on each side of a run. What differs more in size has been moved about more.
constexpr std::uint32_t slack_share = 512;
constexpr std::uint32_t changed_slack_share = 64;
constexpr std::uint32_t much_share = 64;  // of the larger version's bytes, by which they differ

bool changed_much(std::uint64_t size_before, std::uint64_t size_now) {
  const auto [less, more] = std::minmax(size_before, size_now);
  return (more - less) * much_share > more;
}

/// Where there are no anchors near.
std::uint64_t slack_of(std::uint64_t size_before, std::uint64_t size_now, block_geometry geometry) {
  const auto share = changed_much(size_before, size_now) ? changed_slack_share : slack_share;
  return std::uint64_t{1 + geometry.count(size_now) / share} * geometry.block_bytes;
}

bool overlap(std::vector<traced_run> runs) {
  std::sort(runs.begin(), runs.end(),
            [](const traced_run& a, const traced_run& b) { return a.first < b.first; });
  for (std::size_t i = 1; i < runs.size(); ++i)
    if (runs[i].first - runs[i - 1].first < runs[i - 1].count) return true;
  return false;
}

std::vector<traced_run> runs_in(std::span<const traced_run> runs, std::uint64_t size,
                                block_geometry geometry) {
  const version_map same_places(size, size);
  std::vector<traced_run> moved;
  for (const auto& run : runs)
    if (run.first < geometry.count(size)) moved.push_back(moved_run(run, same_places, size, size, geometry));
  return moved;
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
  return find_like(of_relative.path);
}

std::optional<std::uint32_t> file_mapping::find_named(const std::string& path) const {
  const auto same = find_path(path);
  return same ? same : find_like(path);
}

/// But for version numbers.
std::optional<std::uint32_t> file_mapping::find_like(const std::string& path) const {
  const auto only = [](const index& in, const std::string& key) -> std::optional<std::uint32_t> {
    const auto found = in.find(key);
    if (found == in.end()) return std::nullopt;
    const auto& all = found->second;
    const bool one = std::all_of(all.begin(), all.end(), [&](std::uint32_t each) { return each == all[0]; });
    return one ? std::optional(all[0]) : std::nullopt;
  };
  if (const auto like = only(by_plain_path_, without_versions(path))) return like;
  return only(by_plain_name_, without_versions(base_name(path)));
}

traced_run moved_run(const traced_run& run, const version_map& map, std::uint64_t size_before,
                     std::uint64_t size_now, block_geometry geometry) {
  const auto blocks_now = geometry.count(size_now);
  if (blocks_now <= small_file_blocks) return {0, blocks_now, run.access, run.wait};
  const auto slack = slack_of(size_before, size_now, geometry);
  const auto near = [&](std::uint64_t at) { return map.gap(at) <= anchor_distance_bytes; };
  const auto begins = std::min(geometry.offset(run.first), size_before);
  const auto ends = std::min(geometry.offset(run.first + run.count), size_before);
  const auto begin = std::min(near(begins) ? map.earliest(begins) : map.at(begins), size_now - 1);
  const auto first =
      (begin - std::min(begin, near(begins) ? anchored_slack_bytes : slack)) / geometry.block_bytes;
  const auto last = ends - std::min<std::uint64_t>(ends, 1);
  const auto end = near(last) ? map.latest(ends) + anchored_slack_bytes : map.at(ends) + slack;
  const auto behind = std::min<std::uint64_t>(geometry.count(end), blocks_now);
  return {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(std::max(behind, first + 1) - first),
          run.access, run.wait};
}

observed_start observe_by_names(const trace& recorded, const file_mapping& mapping,
                                std::span<const content_info> contents, block_geometry geometry) {
  observed_start start;
  for (const auto& file : recorded.files) {
    const auto content = mapping.find_named(file.path);
    if (!content) continue;
    content_access access{*content, file.access, {}, file.wait};
    if (!overlap(file.runs)) access.runs = runs_in(file.runs, contents[*content].size, geometry);
    start.accesses.push_back(std::move(access));
  }
  return start;
}

}  // namespace firstlight
