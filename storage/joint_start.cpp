#include "storage/joint_start.hpp"

namespace firstlight {
namespace {

std::vector<waited_span> waits_of(const trace& one) {
  std::vector<waited_span> waits;
  for (const auto& file : one.files) {
    if (file.runs.empty()) waits.push_back({file.access, file.wait});
    for (const auto& run : file.runs) waits.push_back({run.access, run.wait});
  }
  return waits;
}

}  // namespace

result<std::map<toc_id, std::chrono::milliseconds>> joint_start(const trace_store& traces,
                                                                std::span<const toc_id> images,
                                                                const start_offset_limits& limits) {
  std::vector<grouped_start> starts;
  for (const auto& image : images) {
    const auto recorded = traces.of_image(image);
    if (!recorded) return tl::unexpected(recorded.error());
    for (const auto& one : *recorded) starts.push_back({image, one.group, one.started, waits_of(one)});
  }
  return start_offsets(starts, limits);
}

}  // namespace firstlight
