#include "model/merge_tree.hpp"

#include <algorithm>
#include <unordered_map>

namespace firstlight::detail {
namespace {

constexpr std::uint64_t directory_size = 4096;

// Walks depth first without recursion: hostile images are deep.
class flattening {
 public:
  explicit flattening(std::vector<merge_tree::node> nodes)
      : nodes_(std::move(nodes)), numbers_(nodes_.size(), unnumbered) {}

  image_tree run() {
    open(merge_tree::root, 0);
    while (!path_.empty()) step();
    return std::move(tree_);
  }

 private:
  static constexpr std::uint32_t unnumbered = 0xffffffff;
  struct open_directory {
    merge_tree::number node;
    std::uint32_t position;  // in tree_.directories
    merge_tree::directory::const_iterator next;
  };

  void open(merge_tree::number node, std::uint32_t parent) {
    const std::uint32_t inode = number(node);
    path_.push_back(
        {node, static_cast<std::uint32_t>(tree_.directories.size()), nodes_[node].entries.cbegin()});
    tree_.directories.push_back({.inode = inode, .parent = parent, .entries = {}});
    tree_.directories.back().entries.reserve(nodes_[node].entries.size());
    tree_.inodes[inode].links = 2;
    tree_.inodes[inode].size = directory_size;
  }

  void step() {
    auto& here = path_.back();
    if (here.next == nodes_[here.node].entries.cend()) {
      path_.pop_back();
      return;
    }
    const auto& [name, entry] = *here.next++;
    auto& directory = tree_.directories[here.position];
    const std::uint32_t parent = directory.inode;
    const bool nested = nodes_[entry.inode].inode.type == file_type::directory;
    directory.entries.push_back(
        {name, nested ? static_cast<std::uint32_t>(tree_.inodes.size()) : number(entry.inode)});
    if (!nested) {
      ++tree_.inodes[directory.entries.back().inode].links;
      return;
    }
    ++tree_.inodes[parent].links;
    open(entry.inode, parent);
  }

  std::uint32_t number(merge_tree::number node) {
    if (numbers_[node] != unnumbered) return numbers_[node];
    numbers_[node] = static_cast<std::uint32_t>(tree_.inodes.size());
    tree_.inodes.push_back(std::move(nodes_[node].inode));
    auto& inode = tree_.inodes.back();
    inode.links = 0;
    if (nodes_[node].content) inode.content = index(*nodes_[node].content);
    return numbers_[node];
  }

  std::uint32_t index(const content_info& content) {
    const auto next = static_cast<std::uint32_t>(tree_.contents.size());
    const auto [at, added] = contents_.try_emplace(content.id, next);
    if (added) tree_.contents.push_back(content);
    return at->second;
  }

  std::vector<merge_tree::node> nodes_;
  std::vector<std::uint32_t> numbers_;
  std::unordered_map<content_id, std::uint32_t> contents_;
  std::vector<open_directory> path_;
  image_tree tree_;
};

}  // namespace

merge_tree::merge_tree(merge_limits limits) : limits_(limits) {
  image_inode root_inode;
  root_inode.type = file_type::directory;
  root_inode.permissions = 0755;
  nodes_.push_back({.inode = std::move(root_inode), .content = {}, .entries = {}, .name_in_parent = {}});
}

std::optional<merge_tree::number> merge_tree::find(number parent, std::string_view name) const {
  const auto& entries = nodes_[parent].entries;
  const auto found = entries.find(name);
  if (found == entries.end()) return std::nullopt;
  return found->second.inode;
}

result<void> merge_tree::check_name(std::string_view name) const {
  if (name.size() > limits_.name_bytes_max) {
    return fail(errc::limit_exceeded, "name_bytes_max: " + std::string(name.substr(0, 40)) + "...");
  }
  return {};
}

result<merge_tree::number> merge_tree::make(number parent, std::string_view name, image_inode inode,
                                            std::uint32_t layer) {
  if (auto ok = check_name(name); !ok) return tl::unexpected(ok.error());
  if (nodes_.size() >= limits_.inodes_max) return fail(errc::limit_exceeded, "inodes_max");
  const auto made = static_cast<number>(nodes_.size());
  const bool nested = inode.type == file_type::directory;
  nodes_.push_back({.inode = std::move(inode),
                    .content = {},
                    .entries = {},
                    .parent = parent,
                    .name_in_parent = nested ? std::string(name) : std::string{}});
  nodes_[parent].entries.insert_or_assign(std::string(name), entry{made, layer});
  return made;
}

result<void> merge_tree::link(number parent, std::string_view name, number inode, std::uint32_t layer) {
  if (auto ok = check_name(name); !ok) return ok;
  nodes_[parent].entries.insert_or_assign(std::string(name), entry{inode, layer});
  return {};
}

void merge_tree::erase(number parent, std::string_view name) {
  auto& entries = nodes_[parent].entries;
  if (const auto found = entries.find(name); found != entries.end()) entries.erase(found);
}

void merge_tree::erase_lower(number of, std::uint32_t layer) {
  std::vector<number> open{of};
  while (!open.empty()) {
    auto& entries = nodes_[open.back()].entries;
    open.pop_back();
    for (auto at = entries.begin(); at != entries.end();) {
      if (at->second.layer != layer) {
        at = entries.erase(at);
        continue;
      }
      if (is(at->second.inode, file_type::directory)) open.push_back(at->second.inode);
      ++at;
    }
  }
}

void merge_tree::mark(number parent, std::string_view name, std::uint32_t layer) {
  if (const auto own = nodes_[parent].entries.find(name); own != nodes_[parent].entries.end()) {
    own->second.layer = layer;
  }
  for (number at = parent; at != root; at = nodes_[at].parent) {
    auto& above = nodes_[nodes_[at].parent].entries;
    above.find(nodes_[at].name_in_parent)->second.layer = layer;
  }
}

image_tree merge_tree::take() {
  flattening order(std::move(nodes_));
  *this = merge_tree(limits_);
  return order.run();
}

}  // namespace firstlight::detail
