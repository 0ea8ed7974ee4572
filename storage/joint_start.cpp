#include "storage/joint_start.hpp"

#include <algorithm>

#include "model/image_reference.hpp"

namespace firstlight {
namespace {

constexpr std::size_t versions_read_max = 2;  // of one image; the latest tell most

std::vector<waited_span> waits_of(const trace& one) {
  std::vector<waited_span> waits;
  for (const auto& file : one.files) {
    if (file.runs.empty()) waits.push_back({file.access, file.wait});
    for (const auto& run : file.runs) waits.push_back({run.access, run.wait});
  }
  return waits;
}

std::string repository_of(const std::string& reference) {
  const auto parsed = parse_image_reference(reference);
  return parsed ? parsed->repository_text() : reference;
}

/// Adds the starts of one image in groups, as those of `counts_as`. @returns whether there are any
result<bool> add_starts(const trace_store& traces, const toc_id& image, const toc_id& counts_as,
                        std::vector<grouped_start>& starts) {
  const auto recorded = traces.of_image(image);
  if (!recorded) return tl::unexpected(recorded.error());
  const auto before = starts.size();
  for (const auto& one : *recorded)
    if (one.group != default_trace_group)
      starts.push_back({counts_as, one.group, one.started, waits_of(one)});
  return starts.size() > before;
}

using stamps_by_image = std::map<toc_id, std::vector<trace_stamp>>;

/// The images of a repository that are not wanted themselves, those with the latest traces first.
std::vector<toc_id> other_versions(const stamps_by_image& traced, std::span<const joint_image> wanted,
                                   const std::string& repository) {
  std::vector<std::pair<std::chrono::nanoseconds, toc_id>> versions;
  for (const auto& [toc, stamps] : traced) {
    const bool is_wanted =
        std::any_of(wanted.begin(), wanted.end(), [&](const joint_image& one) { return one.toc == toc; });
    const auto newest =
        std::max_element(stamps.begin(), stamps.end(),
                         [](const trace_stamp& a, const trace_stamp& b) { return a.received < b.received; });
    if (!is_wanted && repository_of(newest->reference) == repository)
      versions.emplace_back(newest->received, toc);
  }
  std::sort(versions.rbegin(), versions.rend());
  std::vector<toc_id> ids;
  for (const auto& [received, toc] : versions) ids.push_back(toc);
  return ids;
}

/// Of an image that was never started with the others.
result<void> add_version(const trace_store& traces, const stamps_by_image& traced,
                         std::span<const joint_image> wanted, const joint_image& image,
                         std::vector<grouped_start>& starts) {
  const auto versions = other_versions(traced, wanted, repository_of(image.reference));
  for (std::size_t i = 0; i < std::min(versions.size(), versions_read_max); ++i) {
    const auto added = add_starts(traces, versions[i], image.toc, starts);
    if (!added) return tl::unexpected(added.error());
    if (*added) return {};
  }
  return {};
}

}  // namespace

result<std::map<toc_id, std::chrono::milliseconds>> joint_start(const trace_store& traces,
                                                                std::span<const joint_image> images,
                                                                const start_offset_limits& limits) {
  std::vector<grouped_start> starts;
  for (const auto& image : images)
    if (auto added = add_starts(traces, image.toc, image.toc, starts); !added)
      return tl::unexpected(added.error());
  auto offsets = start_offsets(starts, limits);
  const auto is_known = [&](const joint_image& image) { return offsets.contains(image.toc); };
  if (std::all_of(images.begin(), images.end(), is_known)) return offsets;
  const auto traced = traces.stamps();
  if (!traced) return tl::unexpected(traced.error());
  for (const auto& image : images) {
    if (is_known(image)) continue;
    if (auto added = add_version(traces, *traced, images, image, starts); !added)
      return tl::unexpected(added.error());
  }
  return start_offsets(starts, limits);
}

}  // namespace firstlight
