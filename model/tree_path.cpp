#include "model/tree_path.hpp"

#include <algorithm>
#include <string>

namespace firstlight {

tree_paths::tree_paths(const image_tree& tree)
    : tree_(tree), directory_of_(tree.inodes.size(), no_directory) {
  for (std::uint32_t i = 0; i < tree.directories.size(); ++i) directory_of_[tree.directories[i].inode] = i;
}

const image_directory* tree_paths::directory(std::uint32_t inode) const {
  if (inode >= directory_of_.size() || directory_of_[inode] == no_directory) return nullptr;
  return &tree_.directories[directory_of_[inode]];
}

std::optional<std::uint32_t> tree_paths::lookup(const image_directory& in, std::string_view name) const {
  const auto found = std::lower_bound(in.entries.begin(), in.entries.end(), name,
                                      [](const image_entry& e, std::string_view n) { return e.name < n; });
  if (found == in.entries.end() || found->name != name) return std::nullopt;
  return found->inode;
}

result<tree_location> tree_paths::locate(std::string_view path, std::uint32_t from) const {
  std::string rest(path);
  tree_location at{from, from};
  if (path.starts_with('/')) at = {0, 0};
  int symlinks = 0;
  while (true) {
    if (rest.size() > path_bytes_max) return fail(errc::invalid_argument, "path longer than path_bytes_max");
    rest.erase(0, rest.find_first_not_of('/'));
    if (rest.empty()) break;
    const auto name = rest.substr(0, rest.find('/'));
    rest.erase(0, name.size());

    const auto* in = directory(at.inode);
    if (in == nullptr) return fail(errc::not_found, std::string(path));
    if (name == ".") continue;
    if (name == "..") {
      at = {in->parent, in->parent};
      continue;
    }
    const auto inode = lookup(*in, name);
    if (!inode) return fail(errc::not_found, std::string(path));
    if (tree_.inodes[*inode].type != file_type::symlink) {
      at = {*inode, in->inode};
      continue;
    }
    if (++symlinks > symlinks_max)
      return fail(errc::limit_exceeded, "too many symlinks: " + std::string(path));
    const auto& target = tree_.inodes[*inode].symlink_target;
    if (target.starts_with('/')) at = {0, 0};
    rest.insert(0, target);
  }
  return at;
}

result<tree_location> tree_paths::locate_file(std::string_view path, std::uint32_t from) const {
  auto found = locate(path, from);
  if (!found) return found;
  const auto& inode = tree_.inodes[found->inode];
  if (inode.type != file_type::regular || inode.content == image_inode::no_content)
    return fail(errc::not_found, "no file with bytes: " + std::string(path));
  return found;
}

}  // namespace firstlight
