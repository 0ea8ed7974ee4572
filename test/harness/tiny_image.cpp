#include "test/harness/tiny_image.hpp"

#include <algorithm>
#include <cstring>

namespace firstlight {

tiny_image::tiny_image() {
  tree_.inodes.push_back({.type = file_type::directory, .permissions = 0755});
  tree_.directories.push_back({0, 0, {}});
  inodes_[""] = 0;
  folders_[0] = 0;
}

std::uint32_t tiny_image::add(const std::string& path, image_inode inode) {
  const auto slash = path.rfind('/');
  const auto parent = slash == std::string::npos ? std::uint32_t{0} : folder(path.substr(0, slash));
  const auto number = static_cast<std::uint32_t>(tree_.inodes.size());
  tree_.inodes.push_back(std::move(inode));
  inodes_[path] = number;
  auto& entries = tree_.directories[folders_.at(parent)].entries;
  const auto name = slash == std::string::npos ? path : path.substr(slash + 1);
  const auto place =
      std::lower_bound(entries.begin(), entries.end(), name,
                       [](const image_entry& entry, const std::string& n) { return entry.name < n; });
  entries.insert(place, {name, number});
  return number;
}

std::uint32_t tiny_image::folder(const std::string& path) {
  if (const auto known = inodes_.find(path); known != inodes_.end()) return known->second;
  const auto number = add(path, {.type = file_type::directory, .permissions = 0755});
  const auto slash = path.rfind('/');
  folders_[number] = tree_.directories.size();
  tree_.directories.push_back(
      {number, inodes_.at(slash == std::string::npos ? "" : path.substr(0, slash)), {}});
  return number;
}

std::uint32_t tiny_image::symlink(const std::string& path, const std::string& target) {
  return add(
      path,
      {.type = file_type::symlink, .permissions = 0777, .size = target.size(), .symlink_target = target});
}

std::uint32_t tiny_image::file(const std::string& path, const std::vector<std::byte>& bytes,
                               std::uint16_t permissions) {
  image_inode inode{.type = file_type::regular, .permissions = permissions, .size = bytes.size()};
  if (!bytes.empty()) {
    inode.content = static_cast<std::uint32_t>(tree_.contents.size());
    content_info info{{}, bytes.size()};
    std::memcpy(info.id.root.bytes.data(), &inode.content, sizeof inode.content);
    tree_.contents.push_back(info);
    bytes_[info.id] = bytes;
  }
  return add(path, std::move(inode));
}

std::uint32_t tiny_image::file(const std::string& path, const std::string& text, std::uint16_t permissions) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return file(path, std::vector<std::byte>(first, first + text.size()), permissions);
}

result<std::vector<std::byte>> tiny_image::read(const content_info& content, std::uint64_t offset,
                                                std::uint32_t length) const {
  const auto found = bytes_.find(content.id);
  if (found == bytes_.end() || offset > found->second.size() || length > found->second.size() - offset)
    return fail(errc::not_found, "outside the file");
  const auto first = found->second.begin() + static_cast<std::ptrdiff_t>(offset);
  return std::vector<std::byte>(first, first + length);
}

std::uint32_t tiny_image::content(const std::string& path) const {
  return tree_.inodes[inodes_.at(path)].content;
}

}  // namespace firstlight
