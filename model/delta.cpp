#include "model/delta.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "model/name_shape.hpp"

namespace firstlight {
namespace {

/// How a base was found; the lower the better.
enum class likeness : std::uint8_t { same_path, same_name, same_shape };

struct candidate {
  likeness how = likeness::same_shape;
  std::uint64_t distance = 0;  ///< of the sizes
  content_info base;

  [[nodiscard]] bool better_than(const candidate& other) const {
    return std::tie(how, distance, base.id) < std::tie(other.how, other.distance, other.base.id);
  }
};

/// The files of a node, to be found by how their paths look.
class base_finder {
 public:
  base_finder(std::span<const file_content> had, const patch_limits& limits) : limits_(limits) {
    for (const auto& file : had) {
      if (file.content.size < limits.content_bytes_min / limits.size_ratio_max ||
          file.content.size > limits.base_bytes_max)
        continue;
      exact_[file.path].push_back(file.content);
      named_[with_plain_name(file.path)].push_back(file.content);
      shaped_[without_versions(file.path)].push_back(file.content);
    }
    for (auto* paths : {&exact_, &named_, &shaped_})
      for (auto& [key, contents] : *paths) sort_by_size(contents);
  }

  [[nodiscard]] std::optional<candidate> find(const file_content& wanted) const {
    if (const auto same = nearest(exact_, wanted.path, likeness::same_path, wanted.content)) return same;
    if (const auto same = nearest(named_, with_plain_name(wanted.path), likeness::same_name, wanted.content))
      return same;
    return nearest(shaped_, without_versions(wanted.path), likeness::same_shape, wanted.content);
  }

 private:
  using index = std::unordered_map<std::string, std::vector<content_info>>;

  static void sort_by_size(std::vector<content_info>& contents) {
    const auto key = [](const content_info& c) { return std::tie(c.size, c.id); };
    std::sort(contents.begin(), contents.end(), [&](auto& l, auto& r) { return key(l) < key(r); });
    contents.erase(std::unique(contents.begin(), contents.end()), contents.end());
  }

  [[nodiscard]] std::optional<candidate> nearest(const index& in, const std::string& key, likeness how,
                                                 const content_info& wanted) const {
    const auto found = in.find(key);
    if (found == in.end()) return std::nullopt;
    const auto& bases = found->second;
    const auto above =
        std::lower_bound(bases.begin(), bases.end(), wanted.size,
                         [](const content_info& c, std::uint64_t size) { return c.size < size; });
    std::optional<candidate> best;
    const auto offer = [&](const content_info& base) {
      const auto [less, more] = std::minmax(base.size, wanted.size);
      if (more > less * limits_.size_ratio_max) return;
      const candidate offered{how, more - less, base};
      if (!best || offered.better_than(*best)) best = offered;
    };
    if (above != bases.end()) offer(*above);
    if (above != bases.begin()) offer(*std::prev(above));
    return best;
  }

  const patch_limits& limits_;
  index exact_;
  index named_;
  index shaped_;
};

/// Calls `visit(path, inode)` for everything in an image but folders, depth first by name.
template <class Visit>
void walk(const image_tree& tree, Visit visit) {
  if (tree.directories.empty()) return;
  std::vector<const image_directory*> directory_of(tree.inodes.size(), nullptr);
  for (const auto& directory : tree.directories) directory_of[directory.inode] = &directory;
  struct step {
    const image_directory* at;
    std::size_t next;
    std::size_t path_bytes;
  };
  std::string path;
  std::vector<step> stack{{directory_of[0], 0, 0}};
  while (!stack.empty()) {
    auto& top = stack.back();
    path.resize(top.path_bytes);
    if (top.next == top.at->entries.size()) {
      stack.pop_back();
      continue;
    }
    const auto& entry = top.at->entries[top.next++];
    const auto& inode = tree.inodes[entry.inode];
    path += entry.name;
    if (inode.type != file_type::directory) {
      visit(path, inode);
    } else if (directory_of[entry.inode] != nullptr) {
      path += '/';
      stack.push_back({directory_of[entry.inode], 0, path.size()});
    }
  }
}

}  // namespace

std::vector<file_content> files_of(const image_tree& tree) {
  std::vector<file_content> files;
  walk(tree, [&](const std::string& path, const image_inode& inode) {
    if (inode.type == file_type::regular && inode.content != image_inode::no_content)
      files.push_back({path, tree.contents[inode.content]});
  });
  return files;
}

std::vector<std::pair<std::string, std::string>> links_of(const image_tree& tree) {
  std::vector<std::pair<std::string, std::string>> links;
  walk(tree, [&](const std::string& path, const image_inode& inode) {
    if (inode.type == file_type::symlink) links.emplace_back(path, inode.symlink_target);
  });
  return links;
}

content_delta find_delta(std::span<const content_info> contents, std::span<const file_content> wanted,
                         std::span<const file_content> had, const patch_limits& limits) {
  content_delta delta;
  std::unordered_set<content_id> whole;
  for (const auto& file : had) whole.insert(file.content.id);
  std::unordered_map<content_id, std::uint32_t> missing;
  for (std::uint32_t content = 0; content < contents.size(); ++content) {
    if (whole.contains(contents[content].id)) continue;
    delta.missing.push_back(content);
    missing.emplace(contents[content].id, content);
  }
  if (had.empty() || missing.empty()) return delta;

  const base_finder finder(had, limits);
  std::map<std::uint32_t, candidate> best;
  for (const auto& file : wanted) {
    const auto found = missing.find(file.content.id);
    if (found == missing.end() || file.content.size < limits.content_bytes_min ||
        file.content.size > limits.content_bytes_max)
      continue;
    const auto base = finder.find(file);
    if (!base) continue;
    const auto [at, fresh] = best.emplace(found->second, *base);
    if (!fresh && base->better_than(at->second)) at->second = *base;
  }
  for (const auto& [content, base] : best) delta.patches.push_back({content, base.base});
  return delta;
}

}  // namespace firstlight
