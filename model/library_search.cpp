#include "model/library_search.hpp"

#include <algorithm>

#include "model/tree_glob.hpp"

namespace firstlight {
namespace {

constexpr std::uint32_t include_depth_max = 4;

/// Debian's name of the folder for an ELF machine; empty if unknown.
std::string_view multiarch_folder(std::uint16_t machine) {
  switch (machine) {
    case 3:
      return "i386-linux-gnu";
    case 21:
      return "powerpc64le-linux-gnu";
    case 40:
      return "arm-linux-gnueabihf";
    case 62:
      return "x86_64-linux-gnu";
    case 183:
      return "aarch64-linux-gnu";
    case 243:
      return "riscv64-linux-gnu";
    case 258:
      return "loongarch64-linux-gnu";
    default:
      return {};
  }
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

/// A search folder with its tokens filled in; relative ones are looked up from the origin.
std::string expand(std::string folder, const elf_file& by) {
  const std::string lib = by.word_bits == 64 ? "lib64" : "lib";
  for (const auto* token : {"$ORIGIN", "${ORIGIN}"}) replace_all(folder, token, ".");
  for (const auto* token : {"$LIB", "${LIB}"}) replace_all(folder, token, lib);
  return folder;
}

std::vector<std::string> default_folders(const elf_file& by) {
  std::vector<std::string> folders;
  if (const auto multiarch = multiarch_folder(by.machine); !multiarch.empty())
    for (const auto* parent : {"/lib/", "/usr/lib/"}) folders.push_back(parent + std::string(multiarch));
  if (by.word_bits == 64) folders.insert(folders.end(), {"/lib64", "/usr/lib64"});
  folders.insert(folders.end(), {"/lib", "/usr/lib", "/usr/local/lib"});
  return folders;
}

}  // namespace

library_search::library_search(const tree_paths& paths, const text_reader& read,
                               std::string_view library_path, const library_search_limits& limits)
    : paths_(paths), limits_(limits) {
  add_folders(library_path, ":;", first_);
  if (const auto file = paths.locate_file("/etc/ld.so.conf")) read_configuration(file->inode, read, 0);
  for (const auto& file : find_files(paths, "/etc/ld-musl-*.path", 0, limits.includes_max))
    add_folders(read(file.inode), ":\n", configured_);
}

void library_search::add_folders(std::string_view list, std::string_view separators,
                                 std::vector<std::string>& into) const {
  while (!list.empty() && into.size() < limits_.folders_max) {
    const auto folder = list.substr(0, list.find_first_of(separators));
    if (!folder.empty()) into.emplace_back(folder);
    list.remove_prefix(std::min(list.size(), folder.size() + 1));
  }
}

void library_search::read_configuration(std::uint32_t inode, const text_reader& read, std::uint32_t depth) {
  if (depth > include_depth_max || includes_++ >= limits_.includes_max) return;
  const auto text = read(inode);
  std::string_view rest = text;
  while (!rest.empty()) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    line = line.substr(0, line.find('#'));
    const auto first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    if (line.starts_with("include ") || line.starts_with("include\t"))
      include(line.substr(line.find_first_not_of(" \t", 8)), read, depth + 1);
    else
      add_folders(line, " \t:,", configured_);
  }
}

void library_search::include(std::string_view pattern, const text_reader& read, std::uint32_t depth) {
  const auto etc = paths_.locate("/etc");
  if (!etc) return;
  for (const auto& file : find_files(paths_, pattern, etc->inode, limits_.includes_max))
    read_configuration(file.inode, read, depth);
}

std::vector<tree_location> library_search::candidates(std::string_view name, const elf_file& by,
                                                      std::uint32_t origin) const {
  std::vector<tree_location> found;
  const auto offer = [&](const std::string& path) {
    if (const auto file = paths_.locate_file(path, origin))
      if (std::find(found.begin(), found.end(), *file) == found.end()) found.push_back(*file);
  };
  if (name.find('/') != std::string_view::npos) {
    offer(expand(std::string(name), by));
    return found;
  }
  const auto search = [&](const std::vector<std::string>& folders) {
    for (const auto& folder : folders) offer(expand(folder, by) + "/" + std::string(name));
  };
  if (by.run_path.empty()) search(by.library_path);
  search(first_);
  search(by.run_path);
  search(configured_);
  search(default_folders(by));
  return found;
}

}  // namespace firstlight
