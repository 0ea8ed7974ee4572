#include "model/tree_glob.hpp"

#include <algorithm>

namespace firstlight {
namespace {

bool is_pattern(std::string_view name) {
  return name.find_first_of("*?") != std::string_view::npos;
}

/// The names that one part of a pattern stands for in a directory.
std::vector<std::string_view> names_in(const tree_paths& paths, std::uint32_t folder, std::string_view part) {
  if (!is_pattern(part)) return {part};
  std::vector<std::string_view> names;
  if (const auto* in = paths.directory(folder))
    for (const auto& entry : in->entries)
      if ((!entry.name.starts_with('.') || part.starts_with('.')) && matches_pattern(entry.name, part))
        names.push_back(entry.name);
  return names;
}

}  // namespace

bool matches_pattern(std::string_view name, std::string_view pattern) {
  std::size_t n = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t mark = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++mark;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::vector<tree_location> find_files(const tree_paths& paths, std::string_view pattern, std::uint32_t from,
                                      std::size_t files_max) {
  std::vector<std::uint32_t> folders{pattern.starts_with('/') ? 0 : from};
  std::vector<tree_location> files;
  while (!folders.empty() && files.empty()) {
    pattern.remove_prefix(std::min(pattern.size(), pattern.find_first_not_of('/')));
    const auto part = pattern.substr(0, pattern.find('/'));
    if (part.empty()) break;
    pattern.remove_prefix(part.size());
    std::vector<std::uint32_t> next;
    for (const auto folder : folders) {
      for (const auto name : names_in(paths, folder, part)) {
        if (next.size() + files.size() >= files_max) break;
        if (pattern.empty()) {
          if (const auto file = paths.locate_file(name, folder)) files.push_back(*file);
        } else if (const auto at = paths.locate(name, folder); at && paths.directory(at->inode) != nullptr) {
          next.push_back(at->inode);
        }
      }
    }
    folders = std::move(next);
  }
  return files;
}

}  // namespace firstlight
