#include "actors/node/make_trace.hpp"

#include <random>

#include "model/trace_cut.hpp"
#include "schemas/toc_contents.hpp"

namespace firstlight {

trace_id random_trace_id() {
  static thread_local std::random_device source;
  trace_id id;
  for (auto& byte : id.value.bytes) byte = static_cast<std::byte>(source() & 0xffU);
  return id;
}

trace make_trace(const recorded_instance& of, std::vector<recorded_content> contents,
                 std::uint64_t bytes_max) {
  trace made{of.trace, of.id, of.reference, of.group, of.node, of.started, {}};
  const auto paths = content_paths(*of.toc);
  for (auto& content : contents) {
    if (content.content >= paths.size() || paths[content.content].empty()) continue;
    std::chrono::nanoseconds wait{0};
    for (const auto& run : content.runs) wait += run.wait;
    made.files.push_back({paths[content.content], content.access, wait, std::move(content.runs)});
  }
  sort_trace(made);
  cut_trace(made, bytes_max);
  return made;
}

}  // namespace firstlight
