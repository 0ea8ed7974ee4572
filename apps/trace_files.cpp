#include "apps/trace_files.hpp"

#include <algorithm>
#include <fstream>

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

}  // namespace

result<std::vector<std::string>> read_trace_files(const std::filesystem::path& file_or_folder) {
  std::error_code problem;
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(file_or_folder, problem)) {
    for (const auto& entry : std::filesystem::directory_iterator(file_or_folder, problem))
      if (entry.path().extension() == ".json" && entry.path().filename() != collection_name)
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
  } else if (std::filesystem::exists(file_or_folder, problem)) {
    files.push_back(file_or_folder);
  }
  if (files.empty()) return fail(errc::not_found, file_or_folder.string() + " has no trace files (*.json)");
  std::vector<std::string> texts;
  for (const auto& file : files) {
    auto text = read_text(file);
    if (!text) return tl::unexpected(text.error());
    texts.push_back(std::move(*text));
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

}  // namespace firstlight
