#include "storage/joint_start.hpp"

namespace firstlight {

result<std::map<toc_id, std::chrono::milliseconds>> joint_start(const trace_store& traces,
                                                                std::span<const toc_id> images,
                                                                const start_offset_limits& limits) {
  std::vector<grouped_start> starts;
  for (const auto& image : images) {
    const auto recorded = traces.of_image(image);
    if (!recorded) return tl::unexpected(recorded.error());
    for (const auto& one : *recorded) starts.push_back({image, one.group, one.started});
  }
  return start_offsets(starts, limits);
}

}  // namespace firstlight
