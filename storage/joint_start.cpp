#include "storage/joint_start.hpp"

#include <algorithm>
#include <tuple>

#include "model/image_reference.hpp"

namespace firstlight {
namespace {

using stamps_by_image = std::map<toc_id, std::vector<trace_stamp>>;

/// The latest that have a label, newest first.
std::vector<trace_stamp> latest_labelled(std::vector<trace_stamp> stamps, std::size_t count_max) {
  std::erase_if(stamps, [](const trace_stamp& one) { return one.group == default_trace_group; });
  std::sort(stamps.begin(), stamps.end(), [](const trace_stamp& a, const trace_stamp& b) {
    return std::tie(b.received, b.started, b.id) < std::tie(a.received, a.started, a.id);
  });
  if (stamps.size() > count_max)
    stamps.erase(stamps.begin() + static_cast<std::ptrdiff_t>(count_max), stamps.end());
  return stamps;
}

grouped_start grouped(const trace& recorded) {
  grouped_start start{recorded.toc, recorded.group, recorded.node, recorded.started};
  for (const auto& file : recorded.files) {
    if (file.runs.empty()) start.waits.push_back({file.access, file.wait});
    for (const auto& run : file.runs) start.waits.push_back({run.access, run.wait});
  }
  const auto first = std::min_element(start.waits.begin(), start.waits.end());
  if (first != start.waits.end()) start.first_access = first->from;
  return start;
}

std::string repository_of(const std::string& reference) {
  const auto parsed = parse_image_reference(reference);
  return parsed ? parsed->repository_text() : reference;
}

/// Of the version of a repository that was in a group latest, of those that are not wanted themselves.
std::vector<trace_stamp> of_other_version(const stamps_by_image& traced, std::span<const joint_image> wanted,
                                          const std::string& repository, std::size_t count_max) {
  std::vector<trace_stamp> latest;
  for (const auto& [toc, stamps] : traced) {
    if (std::any_of(wanted.begin(), wanted.end(), [&](const joint_image& one) { return one.toc == toc; }))
      continue;
    auto labelled = latest_labelled(stamps, count_max);
    if (labelled.empty() || repository_of(labelled.front().reference) != repository) continue;
    if (latest.empty() || latest.front().received < labelled.front().received) latest = std::move(labelled);
  }
  return latest;
}

}  // namespace

result<std::map<toc_id, std::chrono::milliseconds>> joint_start(const trace_store& traces,
                                                                std::span<const joint_image> images,
                                                                const start_offset_limits& limits) {
  std::vector<grouped_start> starts;
  const auto add = [&](const std::vector<trace_stamp>& stamps, const toc_id* counts_as) -> result<void> {
    for (const auto& stamp : stamps) {
      const auto recorded = traces.find_readable(stamp.id);
      if (!recorded) return tl::unexpected(recorded.error());
      if (!*recorded) continue;
      starts.push_back(grouped(**recorded));
      if (counts_as != nullptr) starts.back().image = *counts_as;
    }
    return {};
  };
  std::vector<trace_stamp> own;
  bool all_traced = true;
  for (const auto& image : images) {
    const auto stamps = traces.stamps(image.toc);
    if (!stamps) return tl::unexpected(stamps.error());
    own.insert(own.end(), stamps->begin(), stamps->end());
    all_traced = all_traced && !stamps->empty();
  }
  if (auto added = add(latest_labelled(std::move(own), limits.traces_max), nullptr); !added)
    return tl::unexpected(added.error());
  auto offsets = start_offsets(starts, limits);
  const auto is_known = [&](const joint_image& image) { return offsets.contains(image.toc); };
  const bool none_in_a_group = starts.empty() && all_traced;
  if (none_in_a_group || std::all_of(images.begin(), images.end(), is_known)) return offsets;
  const auto traced = traces.stamps();
  if (!traced) return tl::unexpected(traced.error());
  for (const auto& image : images) {
    if (is_known(image)) continue;
    const auto other = of_other_version(*traced, images, repository_of(image.reference), limits.traces_max);
    if (auto added = add(other, &image.toc); !added) return tl::unexpected(added.error());
  }
  return start_offsets(starts, limits);
}

}  // namespace firstlight
