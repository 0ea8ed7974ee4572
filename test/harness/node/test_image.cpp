#include "test/harness/node/test_image.hpp"

#include <random>
#include <stdexcept>

namespace firstlight {
namespace {

std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

image_inode inode_of(file_type type, std::uint16_t permissions) {
  image_inode inode;
  inode.type = type;
  inode.permissions = permissions;
  inode.modified = {1'600'000'000, 123'456'789};
  if (type == file_type::directory) inode.size = 4096;
  return inode;
}

// Tests name contents by a number: what makes them true is tested where they are verified.
content_id numbered(std::size_t index) {
  content_id id;
  const std::uint64_t spread = (index + 1) * 0x9E3779B97F4A7C15U;  // odd: no two are equal
  for (std::size_t i = 0; i < sizeof spread; ++i)
    id.root.bytes.at(i) = static_cast<std::byte>(spread >> (8 * i));
  return id;
}

}  // namespace

image_builder::image_builder() : nodes_{{inode_of(file_type::directory, 0755), {}, {}}} {}

std::size_t image_builder::find(const std::string& path) const {
  if (path.empty()) return 0;
  const auto [parent, name] = split(path);
  return nodes_.at(find(parent)).children.at(name);
}

std::size_t image_builder::add(const std::string& path, image_inode inode) {
  const auto [parent_path, name] = split(path);
  std::size_t parent = 0;
  try {
    parent = find(parent_path);
  } catch (const std::out_of_range&) {
    parent = add(parent_path, inode_of(file_type::directory, 0755));
  }
  const auto index = nodes_.size();
  nodes_[parent].children.emplace(name, index);
  nodes_.push_back({std::move(inode), {}, {}});
  return index;
}

image_inode& image_builder::directory(const std::string& path, std::uint16_t permissions) {
  return nodes_[add(path, inode_of(file_type::directory, permissions))].inode;
}

image_inode& image_builder::file(const std::string& path, std::string bytes, std::uint16_t permissions) {
  auto& added = nodes_[add(path, inode_of(file_type::regular, permissions))];
  added.inode.size = bytes.size();
  added.bytes = std::move(bytes);
  return added.inode;
}

image_inode& image_builder::symlink(const std::string& path, std::string target) {
  auto inode = inode_of(file_type::symlink, 0777);
  inode.size = target.size();
  inode.symlink_target = std::move(target);
  return nodes_[add(path, std::move(inode))].inode;
}

image_inode& image_builder::device(const std::string& path, file_type type, std::uint32_t major,
                                   std::uint32_t minor) {
  auto inode = inode_of(type, 0600);
  inode.device_major = major;
  inode.device_minor = minor;
  return nodes_[add(path, std::move(inode))].inode;
}

void image_builder::hard_link(const std::string& path, const std::string& existing) {
  const auto [parent, name] = split(path);
  nodes_[find(parent)].children.emplace(name, find(existing));
}

image_builder::built image_builder::build() const {
  auto [image, contents] = build_tree();
  if (auto learnt = image.toc->learn_contents(share(std::move(contents))); !learnt)
    throw std::runtime_error(to_string(learnt.error()));
  return std::move(image);
}

std::pair<image_builder::built, std::vector<std::byte>> image_builder::build_tree() const {
  image_tree tree;
  std::vector<std::string> contents;
  std::map<std::size_t, std::uint32_t> numbers;  // of nodes
  const auto visit = [&](auto& self, std::size_t index, std::uint32_t parent) -> std::uint32_t {
    if (const auto known = numbers.find(index); known != numbers.end()) {
      ++tree.inodes[known->second].links;
      return known->second;
    }
    const auto& from = nodes_[index];
    const auto number = static_cast<std::uint32_t>(tree.inodes.size());
    numbers.emplace(index, number);
    tree.inodes.push_back(from.inode);
    tree.inodes.back().links = 1;
    if (!from.bytes.empty()) {
      tree.inodes.back().content = static_cast<std::uint32_t>(contents.size());
      const auto name = named_by_bytes_ ? std::hash<std::string>{}(from.bytes) : contents.size();
      tree.contents.push_back({numbered(name), from.bytes.size()});
      contents.push_back(from.bytes);
    }
    if (from.inode.type != file_type::directory) return number;
    tree.inodes[number].links = 2;
    const auto place = tree.directories.size();
    tree.directories.push_back({number, parent, {}});
    for (const auto& [name, child] : from.children) {
      if (nodes_[child].inode.type == file_type::directory) ++tree.inodes[number].links;
      const auto entry = image_entry{name, self(self, child, number)};
      tree.directories[place].entries.push_back(entry);
    }
    return number;
  };
  visit(visit, 0, 0);
  toc_header header;
  header.manifest_json = header.config_json = "{}";
  auto message = encode_toc(header, tree);
  if (!message) throw std::runtime_error(to_string(message.error()));
  auto toc = toc_view::open(share(std::move(*message)));
  if (!toc) throw std::runtime_error(to_string(toc.error()));
  return {{*toc, std::move(contents)}, encode_content_ids(tree)};
}

std::string patterned_bytes(std::size_t bytes, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string pattern(bytes, '\0');
  for (auto& byte : pattern) byte = static_cast<char>(random());
  return pattern;
}

}  // namespace firstlight
