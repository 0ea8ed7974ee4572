#include "model/trace_cut.hpp"

#include <algorithm>
#include <optional>

namespace firstlight {
namespace {

// As the schema lays them out, with pointers that lead to other segments of the message; never less than
// that.
constexpr std::uint64_t trace_bytes = 320;
constexpr std::uint64_t file_bytes = 72;
constexpr std::uint64_t run_bytes = 24;

using time = std::chrono::nanoseconds;

/// From when on accesses are left out; nothing if there is room for all.
std::optional<time> first_without_room(const trace& recorded, std::uint64_t bytes_max) {
  std::vector<std::pair<time, std::uint64_t>> parts;
  for (const auto& file : recorded.files) {
    parts.emplace_back(file.access, file_bytes + file.path.size());
    for (const auto& run : file.runs) parts.emplace_back(run.access, run_bytes);
  }
  std::sort(parts.begin(), parts.end());
  auto bytes = trace_bytes + recorded.reference.size() + recorded.group.size() + recorded.node.size() +
               recorded.spelling.image.size() + recorded.spelling.tag.size();
  for (const auto& [when, size] : parts)
    if (bytes += size; bytes > bytes_max) return when;
  return std::nullopt;
}

}  // namespace

void cut_trace(trace& recorded, std::uint64_t bytes_max) {
  const auto end = first_without_room(recorded, bytes_max);
  if (!end) return;
  std::erase_if(recorded.files, [&](traced_file& file) {
    const bool opened_only = file.runs.empty();
    std::erase_if(file.runs, [&](const traced_run& run) { return run.access >= *end; });
    return file.access >= *end || (!opened_only && file.runs.empty());
  });
}

}  // namespace firstlight
