// The attributes of files of a writable_tree.
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "fuse_bridge/attributes.hpp"
#include "fuse_bridge/writable/layer_marks.hpp"
#include "fuse_bridge/writable/writable_tree.hpp"

namespace firstlight {
namespace {

/// Linux takes it for no error to remove one that is not there.
bool is_access_list(std::string_view name) {
  return name == "system.posix_acl_access" || name == "system.posix_acl_default";
}

os_result<void> change_owner(int file, const attribute_changes& changes) {
  if (!changes.uid && !changes.gid) return {};
  constexpr auto keep = static_cast<uid_t>(-1);
  return outcome_of(
      fchownat(file, "", changes.uid.value_or(keep), changes.gid.value_or(keep), AT_EMPTY_PATH));
}

os_result<void> change_times(int file, const attribute_changes& changes) {
  if (changes.accessed.tv_nsec == UTIME_OMIT && changes.modified.tv_nsec == UTIME_OMIT) return {};
  const std::array times{changes.accessed, changes.modified};
  return outcome_of(utimensat(file, "", times.data(), AT_EMPTY_PATH));
}

/// All but the size, of a file that is open at least as a path.
os_result<void> change(int file, const attribute_changes& changes) {
  auto changed = change_owner(file, changes);
  if (changed && changes.mode)
    changed = outcome_of(chmod(descriptor_path(file).c_str(), *changes.mode & 07777U));
  return changed ? change_times(file, changes) : changed;
}

void change_time(timespec& time, const timespec& wanted) {
  if (wanted.tv_nsec == UTIME_NOW)
    clock_gettime(CLOCK_REALTIME, &time);
  else if (wanted.tv_nsec != UTIME_OMIT)
    time = wanted;
}

/// Likewise, of what is on no disk any more.
void change(struct stat& file, const attribute_changes& changes) {
  if (changes.mode) file.st_mode = (file.st_mode & S_IFMT) | (*changes.mode & 07777U);
  file.st_uid = changes.uid.value_or(file.st_uid);
  file.st_gid = changes.gid.value_or(file.st_gid);
  change_time(file.st_atim, changes.accessed);
  change_time(file.st_mtim, changes.modified);
  clock_gettime(CLOCK_REALTIME, &file.st_ctim);
}

}  // namespace

// Found by path or, without a name, by what is open.
os_result<file_descriptor> writable_tree::grab(const layer_node& node) {
  const bool on_disk = has_path(node);
  if (!on_disk && !node.file) return refuse(ESTALE);
  const auto path = on_disk ? disk_path(node) : descriptor_path(node.file->get());
  file_descriptor file(::open(path.c_str(), O_PATH | O_CLOEXEC | (on_disk ? O_NOFOLLOW : 0)));
  if (!file) return refuse_as_system();
  return file;
}

os_result<struct stat> writable_tree::attributes_of(node_number number) {
  auto* node = tree_.find(number);
  if (node == nullptr) {
    auto attributes =
        firstlight::attributes_of(image_inode(number), static_cast<inode_number>(number), directories_);
    if (S_ISDIR(attributes.st_mode) ? tree_.removed(number) : tree_.changed())
      attributes.st_nlink = tree_.image_places(static_cast<inode_number>(number)).size();
    return attributes;
  }
  struct stat now {};
  if (has_path(*node)) {
    if (lstat(disk_path(*node).c_str(), &now) != 0) return refuse_as_system();
  } else if (node->file) {
    if (fstat(node->file->get(), &now) != 0) return refuse_as_system();
  } else {
    now = node->last;
  }
  if (node->kept) --now.st_nlink;
  now.st_ino = number;
  if (S_ISDIR(now.st_mode)) now.st_nlink = tree_.removed(number) ? 0 : tree_.folder_links(number);
  if (S_ISREG(now.st_mode) && node->below)
    now.st_blocks = sectors_for(static_cast<std::uint64_t>(now.st_size));
  return now;
}

os_result<shown_file> writable_tree::show(node_number number) {
  auto attributes = attributes_of(number);
  if (!attributes) return refuse(attributes.error());
  return shown_file{number, *attributes};
}

os_result<struct stat> writable_tree::attributes(node_number number) {
  const std::lock_guard lock(mutex_);
  return tree_.known(number) ? attributes_of(number) : refuse(ESTALE);
}

patient_result<struct stat> writable_tree::set_attributes(node_number number,
                                                          const attribute_changes& changes, pace how) {
  const auto refused = [](int why) { return tl::unexpected(obstacle{why}); };
  std::unique_lock lock(mutex_);
  if (!tree_.known(number)) return refused(ESTALE);
  const auto node = promote(number);
  if (!node) return refused(node.error());
  auto others = changes;
  if (changes.size && (*node)->below && S_ISREG((*node)->type)) {
    const auto whole = toc_->inode((*node)->image).size;
    if (auto ready = promote_contents(lock, number, std::min(*changes.size, whole), how); !ready)
      return tl::unexpected(ready.error());
    // What has not been copied truncate(2) does not cut off.
    if (*changes.size < whole && others.modified.tv_nsec == UTIME_OMIT) others.modified.tv_nsec = UTIME_NOW;
  }
  // The lock may have been open meanwhile, but the kernel asks about a node that it knows.
  auto& changed_node = *tree_.find(number);
  if (is_gone(changed_node)) {
    change(changed_node.last, others);
    return changed_node.last;
  }
  const auto file = grab(changed_node);
  if (!file) return refused(file.error());
  // By path, as truncate(2): if the size stays as it is, the times are what the disk makes of that.
  if (changes.size && truncate(descriptor_path(file->get()).c_str(), static_cast<off_t>(*changes.size)) != 0)
    return refused(errno);
  if (auto changed = change(file->get(), others); !changed) return refused(changed.error());
  const auto now = attributes_of(number);
  return now ? patient_result<struct stat>(*now) : refused(now.error());
}

os_result<void> writable_tree::drop_set_ids(node_number number) {
  const std::lock_guard lock(mutex_);
  const auto* node = tree_.find(number);
  if (node == nullptr) return refuse(ESTALE);
  const auto now = attributes_of(number);
  if (!now) return refuse(now.error());
  return drop_modes(*node, *now, S_ISUID | ((now->st_mode & S_IXGRP) != 0 ? S_ISGID : 0U));
}

os_result<void> writable_tree::drop_set_group_id(node_number number, std::span<const gid_t> groups) {
  const std::lock_guard lock(mutex_);
  const auto* node = tree_.find(number);
  if (node == nullptr) return refuse(ESTALE);
  const auto now = attributes_of(number);
  if (!now) return refuse(now.error());
  const bool member = std::find(groups.begin(), groups.end(), now->st_gid) != groups.end();
  return member ? os_result<void>{} : drop_modes(*node, *now, S_ISGID);
}

os_result<void> writable_tree::drop_modes(const layer_node& node, const struct stat& now, mode_t dropped) {
  if ((now.st_mode & dropped) == 0) return {};
  const auto file = grab(node);
  if (!file) return refuse(file.error());
  attribute_changes changes;
  changes.mode = now.st_mode & ~dropped;
  return change(file->get(), changes);
}

os_result<std::string> writable_tree::read_link(node_number number) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(number)) return refuse(ESTALE);
  if (!S_ISLNK(tree_.type(number))) return refuse(EINVAL);
  const auto* node = tree_.find(number);
  if (node == nullptr || node->image != 0)
    return std::string(image_inode(node == nullptr ? number : node->image).symlink_target);
  if (node->places.empty()) return refuse(ESTALE);
  std::string target(PATH_MAX, '\0');
  const auto bytes = readlink(layer_->at(tree_.path(number)).c_str(), target.data(), target.size());
  if (bytes < 0) return refuse_as_system();
  target.resize(static_cast<std::size_t>(bytes));
  return target;
}

os_result<std::string> writable_tree::get_xattr(node_number number, const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(number)) return refuse(ESTALE);
  const auto* node = tree_.find(number);
  if (node == nullptr) {
    const auto value = find_xattr(*toc_, image_inode(number), name, xattr_names::as_in_image);
    return value ? os_result<std::string>(*value) : refuse(ENODATA);
  }
  if (is_gone(*node)) return refuse(ENODATA);
  const auto file = grab(*node);
  if (!file) return refuse(file.error());
  std::string value(XATTR_SIZE_MAX, '\0');
  const auto bytes = getxattr(descriptor_path(file->get()).c_str(), stored_xattr_name(name).c_str(),
                              value.data(), value.size());
  if (bytes < 0) return refuse_as_system();
  value.resize(static_cast<std::size_t>(bytes));
  return value;
}

os_result<std::string> writable_tree::list_xattrs(node_number number) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(number)) return refuse(ESTALE);
  const auto* node = tree_.find(number);
  if (node == nullptr) return firstlight::list_xattrs(*toc_, image_inode(number), xattr_names::as_in_image);
  if (is_gone(*node)) return std::string();
  const auto file = grab(*node);
  if (!file) return refuse(file.error());
  std::string stored(XATTR_LIST_MAX, '\0');
  const auto bytes = listxattr(descriptor_path(file->get()).c_str(), stored.data(), stored.size());
  if (bytes < 0) return refuse_as_system();
  std::string names;
  for (std::size_t at = 0; at < static_cast<std::size_t>(bytes); at = stored.find('\0', at) + 1)
    if (const auto name = shown_xattr_name(stored.c_str() + at)) names.append(*name).push_back('\0');
  return names;
}

os_result<void> writable_tree::set_xattr(node_number number, const std::string& name, std::string_view value,
                                         int flags) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(number)) return refuse(ESTALE);
  const auto node = promote(number);
  if (!node) return refuse(node.error());
  const auto file = grab(**node);
  if (!file) return refuse(file.error());
  return outcome_of(setxattr(descriptor_path(file->get()).c_str(), stored_xattr_name(name).c_str(),
                             value.data(), value.size(), flags));
}

os_result<void> writable_tree::remove_xattr(node_number number, const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(number)) return refuse(ESTALE);
  if (tree_.find(number) == nullptr &&
      !find_xattr(*toc_, image_inode(number), name, xattr_names::as_in_image))
    return is_access_list(name) ? os_result<void>{} : refuse(ENODATA);
  const auto node = promote(number);
  if (!node) return refuse(node.error());
  const auto file = grab(**node);
  if (!file) return refuse(file.error());
  return outcome_of(removexattr(descriptor_path(file->get()).c_str(), stored_xattr_name(name).c_str()));
}

os_result<struct statvfs> writable_tree::statistics() const {
  struct statvfs fs {};
  if (statvfs(layer_->at(".").c_str(), &fs) != 0) return refuse_as_system();
  return fs;
}

}  // namespace firstlight
