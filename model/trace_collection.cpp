#include "model/trace_collection.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace firstlight {
namespace {

optimised_group merge(const std::vector<const labelled_trace*>& traces) {
  optimised_group group;
  auto earliest = traces.front()->what.started;
  for (const auto* one : traces) {
    group.images.push_back(one->image);
    earliest = std::min(earliest, one->what.started);
  }
  auto& images = group.images;
  std::sort(images.begin(), images.end());
  images.erase(std::unique(images.begin(), images.end()), images.end());
  for (const auto* one : traces) {
    const auto place = std::lower_bound(images.begin(), images.end(), one->image) - images.begin();
    const auto shift = one->what.started - earliest;
    for (const auto& file : one->what.files)
      group.accesses.push_back(
          {file.path, file.access + shift, file.wait, 0, static_cast<std::uint32_t>(place)});
  }
  std::sort(group.accesses.begin(), group.accesses.end(), [](const group_access& a, const group_access& b) {
    return std::tie(a.access, a.image, a.path, a.wait) < std::tie(b.access, b.image, b.path, b.wait);
  });
  for (std::uint32_t i = 0; i < group.accesses.size(); ++i) group.accesses[i].rank = i;
  return group;
}

}  // namespace

std::vector<optimised_group> collect_groups(std::span<const labelled_trace> traces) {
  std::vector<const labelled_trace*> sorted;
  for (const auto& one : traces) sorted.push_back(&one);
  std::sort(sorted.begin(), sorted.end(), [](const labelled_trace* a, const labelled_trace* b) {
    return std::tie(a->what.started, a->what.id) < std::tie(b->what.started, b->what.id);
  });
  std::vector<optimised_group> groups;
  std::map<std::string, std::vector<const labelled_trace*>> labelled;
  for (const auto* one : sorted) {
    if (one->what.group == default_trace_group)
      groups.push_back(merge({one}));
    else
      labelled[one->what.group].push_back(one);
  }
  for (const auto& [label, together] : labelled) groups.push_back(merge(together));
  return groups;
}

std::vector<group_start> starts_of(const optimised_group& group) {
  using start_key = std::pair<std::uint32_t, std::uint32_t>;  // the image, and which of its starts
  std::map<start_key, group_start> starts;
  std::map<std::pair<std::uint32_t, std::string_view>, std::uint32_t> times_read;
  auto first_of_all = std::chrono::nanoseconds::max();
  for (const auto& one : group.accesses) {
    if (one.image >= group.images.size()) continue;
    const start_key key{one.image, times_read[{one.image, one.path}]++};
    auto [at, fresh] = starts.try_emplace(key, group_start{group.images[one.image], one.access, {}});
    at->second.started = std::min(at->second.started, one.access);
    at->second.accesses.push_back({one.path, one.access, one.wait, 0, 0});
    first_of_all = std::min(first_of_all, one.access);
  }
  std::vector<group_start> all;
  for (auto& [key, start] : starts) {
    if (start.started == first_of_all) start.started = {};
    for (auto& access : start.accesses) access.access -= start.started;
    all.push_back(std::move(start));
  }
  return all;
}

}  // namespace firstlight
