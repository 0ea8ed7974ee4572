#include "test/harness/folder_tree.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <system_error>

namespace firstlight {
namespace {

std::optional<file_type> type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return file_type::regular;
    case S_IFDIR:
      return file_type::directory;
    case S_IFLNK:
      return file_type::symlink;
    case S_IFCHR:
      return file_type::character_device;
    case S_IFBLK:
      return file_type::block_device;
    case S_IFIFO:
      return file_type::fifo;
    default:
      return std::nullopt;
  }
}

std::vector<xattr> xattrs_of(const std::filesystem::path& path) {
  std::vector<xattr> all;
  if (llistxattr(path.c_str(), nullptr, 0) <= 0) return all;
  std::string names(64U << 10U, '\0');
  const auto length = llistxattr(path.c_str(), names.data(), names.size());
  for (std::size_t at = 0; length > 0 && at < static_cast<std::size_t>(length);) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    std::string value(64U << 10U, '\0');
    const auto got = lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (got >= 0) all.push_back({name, value.substr(0, static_cast<std::size_t>(got))});
  }
  std::sort(all.begin(), all.end());
  return all;
}

struct walker {
  dev_t file_system = 0;
  image_tree tree;
  std::map<ino_t, std::uint32_t> known;  // with several links
  std::mt19937_64 random{1};

  static struct stat look_at(const std::filesystem::path& path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) throw std::system_error(errno, std::system_category(), path);
    return status;
  }

  std::uint32_t add(const std::filesystem::path& path, const struct stat& status, std::uint32_t parent) {
    if (const auto same = known.find(status.st_ino); same != known.end()) {
      ++tree.inodes[same->second].links;
      return same->second;
    }
    const auto number = static_cast<std::uint32_t>(tree.inodes.size());
    auto& inode = tree.inodes.emplace_back();
    inode.type = *type_of(status.st_mode);
    inode.permissions = static_cast<std::uint16_t>(status.st_mode & 07777U);
    inode.uid = status.st_uid;
    inode.gid = status.st_gid;
    inode.modified = {status.st_mtim.tv_sec, static_cast<std::uint32_t>(status.st_mtim.tv_nsec)};
    inode.xattrs = xattrs_of(path);
    if (status.st_nlink > 1 && inode.type != file_type::directory) known.emplace(status.st_ino, number);
    add_detail(path, status, inode);
    if (inode.type == file_type::directory) add_entries(path, number, parent);
    return number;
  }

  void add_detail(const std::filesystem::path& path, const struct stat& status, image_inode& inode) {
    if (inode.type == file_type::regular && status.st_size > 0) {
      inode.size = static_cast<std::uint64_t>(status.st_size);
      inode.content = static_cast<std::uint32_t>(tree.contents.size());
      auto& content = tree.contents.emplace_back();
      content.size = inode.size;
      for (auto& byte : content.id.root.bytes) byte = static_cast<std::byte>(random() & 0xffU);
    } else if (inode.type == file_type::symlink) {
      inode.symlink_target = std::filesystem::read_symlink(path).native();
      inode.size = inode.symlink_target.size();
    } else if (inode.type == file_type::character_device || inode.type == file_type::block_device) {
      inode.device_major = major(status.st_rdev);
      inode.device_minor = minor(status.st_rdev);
    }
  }

  void add_entries(const std::filesystem::path& path, std::uint32_t number, std::uint32_t parent) {
    tree.inodes[number].size = 4096;
    tree.inodes[number].links = 2;
    const auto place = tree.directories.size();
    tree.directories.push_back({number, parent, {}});
    std::vector<std::string> names;
    for (const auto& item : std::filesystem::directory_iterator(path))
      names.push_back(item.path().filename());
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
      const auto status = look_at(path / name);
      const auto type = type_of(status.st_mode);
      if (!type || status.st_dev != file_system) continue;
      if (*type == file_type::directory) ++tree.inodes[number].links;
      const auto child = add(path / name, status, number);
      tree.directories[place].entries.push_back({name, child});
    }
  }
};

}  // namespace

image_tree tree_of_folder(const std::filesystem::path& folder) {
  walker walk;
  const auto status = walker::look_at(folder);
  walk.file_system = status.st_dev;
  walk.add(folder, status, 0);
  return std::move(walk.tree);
}

}  // namespace firstlight
