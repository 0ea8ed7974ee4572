#include "model/trace.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_set>

namespace firstlight {
namespace {

bool names_a_file(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find('\0') != std::string_view::npos) return false;
  for (std::size_t start = 0; start <= path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    const auto name = path.substr(start, end - start);
    if (name.empty() || name == "." || name == "..") return false;
    start = end + 1;
  }
  return true;
}

bool possible(std::chrono::nanoseconds access, std::chrono::nanoseconds wait, const trace_limits& limits) {
  return access.count() >= 0 && access <= limits.span_max && wait.count() >= 0 && wait <= limits.span_max;
}

result<void> check_file(const traced_file& file, const trace_limits& limits) {
  if (file.path.size() > limits.path_bytes_max)
    return fail(errc::limit_exceeded, "path_bytes_max of a trace");
  if (!names_a_file(file.path))
    return fail(errc::invalid_argument, "'" + file.path + "' is no path inside an image");
  if (!possible(file.access, file.wait, limits))
    return fail(errc::invalid_argument, file.path + " is read at an impossible time");
  for (const auto& run : file.runs) {
    if (run.count == 0 || run.first + run.count < run.first)
      return fail(errc::invalid_argument, file.path + " has an empty run of blocks");
    if (!possible(run.access, run.wait, limits))
      return fail(errc::invalid_argument, "blocks of " + file.path + " are read at an impossible time");
  }
  return {};
}

}  // namespace

result<void> check_trace(const trace& recorded, const trace_limits& limits, std::chrono::nanoseconds now) {
  if (recorded.files.empty()) return fail(errc::invalid_argument, "a trace without any file teaches nothing");
  if (recorded.files.size() > limits.files_max) return fail(errc::limit_exceeded, "files_max of a trace");
  for (const auto* text : {&recorded.reference, &recorded.group, &recorded.node, &recorded.spelling.image,
                           &recorded.spelling.tag})
    if (text->size() > limits.text_bytes_max) return fail(errc::limit_exceeded, "text_bytes_max of a trace");
  if (recorded.group.empty()) return fail(errc::invalid_argument, "a trace belongs to a group");
  if (recorded.started.count() < 0 || recorded.started > now + limits.clock_error_max)
    return fail(errc::invalid_argument, "a trace starts at an impossible time");
  std::size_t runs = 0;
  std::unordered_set<std::string_view> paths;
  for (const auto& file : recorded.files) {
    if (auto good = check_file(file, limits); !good) return good;
    if (!paths.insert(file.path).second)
      return fail(errc::invalid_argument, file.path + " stands twice in a trace");
    runs += file.runs.size();
  }
  if (runs > limits.runs_max) return fail(errc::limit_exceeded, "runs_max of a trace");
  return {};
}

void sort_trace(trace& recorded) {
  auto& files = recorded.files;
  for (auto& file : files)
    std::stable_sort(file.runs.begin(), file.runs.end(), [](const traced_run& a, const traced_run& b) {
      return std::tie(a.access, a.first) < std::tie(b.access, b.first);
    });
  std::stable_sort(files.begin(), files.end(), [](const traced_file& a, const traced_file& b) {
    return std::tie(a.access, a.path) < std::tie(b.access, b.path);
  });
  std::unordered_set<std::string> seen;
  std::erase_if(files, [&](const traced_file& file) { return !seen.insert(file.path).second; });
}

}  // namespace firstlight
