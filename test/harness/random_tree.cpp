#include "test/harness/random_tree.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>

namespace firstlight {
namespace {

/// A tree as nested maps, from which the flat one is walked.
struct node {
  image_inode attributes;
  std::map<std::string, std::shared_ptr<node>> children;
  std::uint32_t number = 0xffffffff;
  std::uint32_t seed_content = 0;
};
using node_ptr = std::shared_ptr<node>;

struct maker {
  std::mt19937_64 random;
  std::vector<node_ptr> directories;
  std::vector<node_ptr> files;

  std::uint64_t below(std::uint64_t end) { return random() % end; }
  std::string name() {
    std::string text = "f" + std::to_string(below(1'000'000));
    if (below(8) == 0) text += "\xff\xc3 \n";
    return text;
  }
  void decorate(image_inode& inode) {
    inode.permissions = static_cast<std::uint16_t>(below(010000));
    inode.uid = static_cast<std::uint32_t>(below(70'000));
    inode.gid = static_cast<std::uint32_t>(below(70'000));
    inode.modified = {static_cast<std::int64_t>(below(1ULL << 33U)) - 1'000'000,
                      static_cast<std::uint32_t>(below(1'000'000'000))};
    std::set<std::string> names;
    while (below(6) == 0) names.insert("user.x" + std::to_string(below(20)));
    for (const auto& each : names) inode.xattrs.push_back({each, std::string(below(40), '\0')});
  }
  void add() {
    auto& parent = *directories[below(directories.size())];
    const auto place = parent.children.try_emplace(name());
    if (!place.second) return;
    auto& child = place.first->second;
    const auto kind = below(20);
    if (kind < 2 && !files.empty()) {
      child = files[below(files.size())];
      ++child->attributes.links;
      return;
    }
    child = std::make_shared<node>();
    auto& inode = child->attributes;
    decorate(inode);
    if (kind < 6) {
      inode.type = file_type::directory;
      directories.push_back(child);
    } else if (kind < 8) {
      inode.type = file_type::symlink;
      inode.symlink_target = "../" + name();
      inode.size = inode.symlink_target.size();
    } else if (kind < 9) {
      inode.type = below(2) == 0 ? file_type::character_device : file_type::block_device;
      inode.device_major = static_cast<std::uint32_t>(below(4096));
      inode.device_minor = static_cast<std::uint32_t>(below(1U << 20U));
    } else if (kind < 10) {
      inode.type = file_type::fifo;
    } else {
      child->seed_content = kind < 12 ? 0 : static_cast<std::uint32_t>(1 + below(5000));
    }
    if (inode.type != file_type::directory) files.push_back(child);
  }
};

content_info content_of(std::uint32_t seed) {
  content_info content;
  std::mt19937_64 random(seed);
  for (auto& byte : content.id.root.bytes) byte = static_cast<std::byte>(random() & 0xffU);
  content.size = 1 + random() % 100'000;
  return content;
}

struct flattener {
  image_tree tree;
  std::map<std::uint32_t, std::uint32_t> contents;

  void number(node& at) {
    at.number = static_cast<std::uint32_t>(tree.inodes.size());
    if (at.seed_content != 0) {
      const auto place = contents.try_emplace(at.seed_content, tree.contents.size());
      if (place.second) tree.contents.push_back(content_of(at.seed_content));
      at.attributes.content = place.first->second;
      at.attributes.size = tree.contents[at.attributes.content].size;
    }
    tree.inodes.push_back(at.attributes);
  }
  void walk(node& directory, std::uint32_t parent) {
    const auto self = tree.directories.size();
    tree.directories.push_back({directory.number, parent, {}});
    std::uint32_t subdirectories = 0;
    for (auto& [name, child] : directory.children) {
      const bool is_directory = child->attributes.type == file_type::directory;
      if (child->number == 0xffffffff) number(*child);
      tree.directories[self].entries.push_back({name, child->number});
      if (!is_directory) continue;
      ++subdirectories;
      walk(*child, directory.number);
    }
    tree.inodes[directory.number].links = 2 + subdirectories;
    tree.inodes[directory.number].size = 4096;
  }
};

}  // namespace

image_tree random_image_tree(std::uint64_t seed, std::uint32_t inodes) {
  maker make{std::mt19937_64(seed), {}, {}};
  auto root = std::make_shared<node>();
  root->attributes.type = file_type::directory;
  make.decorate(root->attributes);
  make.directories.push_back(root);
  for (std::uint32_t i = 1; i < inodes; ++i) make.add();
  flattener flat;
  flat.number(*root);
  flat.walk(*root, 0);
  return std::move(flat.tree);
}

}  // namespace firstlight
