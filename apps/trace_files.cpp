#include "apps/trace_files.hpp"

#include <algorithm>
#include <fstream>
#include <map>

#include "schemas/trace_json.hpp"

namespace firstlight {
namespace {

constexpr const char* collection_name = "collection.json";

result<std::string> read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in.is_open() || in.bad()) return fail(errc::io, "cannot read " + path.string());
  return text;
}

result<void> write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text << '\n';
  out.close();
  if (!out) return fail(errc::io, "cannot write " + path.string());
  return {};
}

/// The label of a group that has lost its own: equal groups get equal ones (FNV-1a).
std::string label_of(const optimised_group& group) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const unsigned char letter : collection_json({group})) hash = (hash ^ letter) * 0x100000001b3U;
  char text[32];
  std::snprintf(text, sizeof text, "collection-%016llx", static_cast<unsigned long long>(hash));
  return text;
}

result<std::vector<std::string>> take_apart(const std::string& collection) {
  const auto groups = parse_collection(collection);
  if (!groups) return tl::unexpected(groups.error());
  std::vector<std::string> texts;
  std::map<std::string, int> times;
  for (const auto& group : *groups) {
    auto label = label_of(group);
    if (const auto before = times[label]++; before > 0) label += "-" + std::to_string(before + 1);
    for (auto& start : starts_of(group))
      texts.push_back(trace_file_json({label, start.image, start.started, std::move(start.accesses)}));
  }
  return texts;
}

result<std::vector<std::filesystem::path>> files_below(const std::filesystem::path& file_or_folder) {
  std::error_code problem;
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(file_or_folder, problem)) {
    for (const auto& entry : std::filesystem::directory_iterator(file_or_folder, problem))
      if (entry.path().extension() == ".json" && entry.path().filename() != collection_name)
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    if (files.empty() && std::filesystem::exists(file_or_folder / collection_name, problem))
      files.push_back(file_or_folder / collection_name);
  } else if (std::filesystem::exists(file_or_folder, problem)) {
    files.push_back(file_or_folder);
  }
  if (files.empty()) return fail(errc::not_found, file_or_folder.string() + " has no trace files (*.json)");
  return files;
}

}  // namespace

result<std::vector<std::string>> read_trace_files(const std::filesystem::path& file_or_folder) {
  const auto files = files_below(file_or_folder);
  if (!files) return tl::unexpected(files.error());
  std::vector<std::string> texts;
  for (const auto& file : *files) {
    auto text = read_text(file);
    if (!text) return tl::unexpected(text.error());
    if (!is_collection(*text)) {
      texts.push_back(std::move(*text));
      continue;
    }
    auto starts = take_apart(*text);
    if (!starts) return fail(starts.error(), file.string());
    std::move(starts->begin(), starts->end(), std::back_inserter(texts));
  }
  return texts;
}

result<void> write_trace_files(const std::filesystem::path& folder, const admin_trace_texts& texts) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) return fail(errc::io, "cannot make " + folder.string() + ": " + problem.message());
  for (const auto& one : texts.traces)
    if (auto written = write_text(folder / (one.id + ".json"), one.json); !written) return written;
  return write_text(folder / collection_name, texts.collection);
}

result<std::string> collection_of(const std::vector<admin_trace_text>& traces) {
  std::vector<labelled_trace> labelled;
  for (const auto& one : traces) {
    auto file = parse_trace_file(one.json);
    const auto id = parse_hex_digest(one.id);
    if (!file || !id) return tl::unexpected(file ? id.error() : file.error());
    trace made{.id = {*id}, .group = file->group, .started = file->started};
    for (auto& each : file->accesses)
      made.files.push_back({std::move(each.path), each.access, each.wait, {}});
    labelled.push_back({file->image, std::move(made)});
  }
  return collection_json(collect_groups(labelled));
}

}  // namespace firstlight
