#include "schemas/toc_paths.hpp"

#include <unordered_map>

namespace firstlight {

std::vector<std::string> paths_of(const toc_view& toc, std::span<const inode_number> inodes) {
  std::unordered_map<inode_number, std::string> found;
  for (const auto number : inodes) found.emplace(number, std::string{});
  struct pending {
    inode_number directory;
    std::string prefix;
  };
  std::vector<pending> open{{root_inode, ""}};
  while (!open.empty()) {
    const auto current = std::move(open.back());
    open.pop_back();
    const auto directory = toc.inode(current.directory);
    const auto entries = toc.entry_count(directory);
    std::vector<pending> below;
    for (std::uint32_t position = 0; position < entries; ++position) {
      const auto entry = toc.entry(directory, position);
      if (const auto wanted = found.find(entry.inode); wanted != found.end() && wanted->second.empty())
        wanted->second = current.prefix + std::string(entry.name);
      if (toc.inode(entry.inode).type == file_type::directory)
        below.push_back({entry.inode, current.prefix + std::string(entry.name) + "/"});
    }
    open.insert(open.end(), std::make_move_iterator(below.rbegin()), std::make_move_iterator(below.rend()));
  }
  std::vector<std::string> paths;
  paths.reserve(inodes.size());
  for (const auto number : inodes) paths.push_back(found[number]);
  return paths;
}

std::optional<inode_number> find_path(const toc_view& toc, std::string_view path) {
  inode_number at = root_inode;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto name = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (name.empty()) continue;
    const auto inode = toc.inode(at);
    const auto next = inode.type == file_type::directory ? toc.lookup(inode, name) : std::nullopt;
    if (!next) return std::nullopt;
    at = *next;
  }
  return at;
}

}  // namespace firstlight
