// The names of a writable_tree: making, removing, moving.
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fuse_bridge/writable/layer_marks.hpp"
#include "fuse_bridge/writable/writable_tree.hpp"

namespace firstlight {
namespace {

constexpr const char* default_acl = "system.posix_acl_default";
constexpr const char* access_acl = "system.posix_acl_access";

/// The layer's tarball could not tell it from a whiteout.
bool is_whiteout_name(std::string_view name) {
  return name.starts_with(whiteout_prefix);
}

/// A folder's default ACL becomes what is made in it: acl(5), "object creation and default ACLs".
/// @returns whether there was one; then it stands for the umask.
os_result<bool> inherit_acl(const std::string& parent, const std::string& made, mode_t type) {
  std::string acl(XATTR_SIZE_MAX, '\0');
  const auto bytes = lgetxattr(parent.c_str(), default_acl, acl.data(), acl.size());
  if (bytes < 0) return errno == ENODATA || errno == EOPNOTSUPP ? os_result<bool>(false) : refuse_as_system();
  const auto size = static_cast<std::size_t>(bytes);
  if (S_ISDIR(type) && setxattr(made.c_str(), default_acl, acl.data(), size, 0) != 0)
    return refuse_as_system();
  if (setxattr(made.c_str(), access_acl, acl.data(), size, 0) != 0) return refuse_as_system();
  return true;
}

os_result<std::shared_ptr<const file_descriptor>> open_made(const work_file& made) {
  file_descriptor file(::open(made.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return refuse_as_system();
  return std::make_shared<const file_descriptor>(std::move(file));
}

}  // namespace

os_result<void> writable_tree::check_new(node_number folder, const std::string& name) const {
  if (is_whiteout_name(name)) return refuse(EPERM);
  if (name.size() > NAME_MAX) return refuse(ENAMETOOLONG);
  if (!tree_.known(folder)) return refuse(ESTALE);
  if (!tree_.is_folder(folder)) return refuse(ENOTDIR);
  if (tree_.lookup(folder, name)) return refuse(EEXIST);
  return {};
}

/// Gives what was made for a folder its owner and mode.
os_result<void> writable_tree::dress(const std::string& made, node_number folder, mode_t mode,
                                     const maker& by) {
  const auto parent = layer_->at(tree_.path(folder));
  struct stat above {};
  if (lstat(parent.c_str(), &above) != 0) return refuse_as_system();
  const bool group_of_folder = (above.st_mode & S_ISGID) != 0;
  const auto group = group_of_folder ? above.st_gid : by.gid;
  if (S_ISLNK(mode)) return lchown(made.c_str(), by.uid, group) == 0 ? os_result<void>{} : refuse_as_system();
  if (chown(made.c_str(), by.uid, group) != 0) return refuse_as_system();
  if (group_of_folder && S_ISDIR(mode)) mode |= S_ISGID;
  const auto inherited = inherit_acl(parent, made, mode & S_IFMT);
  if (!inherited) return refuse(inherited.error());
  struct stat now {};
  if (stat(made.c_str(), &now) != 0) return refuse_as_system();
  const auto allowed = *inherited ? (now.st_mode & 0777U) | 07000U : ~by.umask;
  return chmod(made.c_str(), mode & allowed & 07777U) == 0 ? os_result<void>{} : refuse_as_system();
}

/// What was made in the work folder, before it gets a name: the next process must find its number on it.
os_result<layer_node> writable_tree::new_node(const std::string& made) const {
  struct stat st {};
  if (lstat(made.c_str(), &st) != 0) return refuse_as_system();
  layer_node node;
  node.number = tree_.free_number(st.st_ino);
  node.type = st.st_mode & S_IFMT;
  if (node.number != tree_.disk_number(st.st_ino))
    if (auto noted = numbers_.set(made, node.number); !noted) return refuse(noted.error());
  return node;
}

os_result<shown_file> writable_tree::adopt(const layer_place& place, work_file made, opened open) {
  auto node = new_node(made.path());
  if (!node) return refuse(node.error());
  if (open == opened::yes && S_ISREG(node->type)) {
    // While it has no name: what cannot be opened has not been made.
    auto file = open_made(made);
    if (!file) return refuse(file.error());
    node->file = std::move(*file);
  }
  if (auto placed = layer_->place(made.path(), tree_.path(place.folder, place.name)); !placed)
    return refuse(placed.error());
  made.moved();
  auto& adopted = tree_.add(std::move(*node));
  tree_.put(place, adopted.number);
  if (adopted.file) ++opens_[adopted.number];
  return show(adopted.number);
}

os_result<shown_file> writable_tree::lookup(node_number folder, std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(folder)) return refuse(ESTALE);
  if (!tree_.is_folder(folder)) return refuse(ENOTDIR);
  if (name.size() > NAME_MAX) return refuse(ENAMETOOLONG);
  if (name == ".") return show(folder);
  if (name == "..") return show(tree_.parent(folder));
  const auto found = tree_.lookup(folder, name);
  return found ? show(*found) : refuse(ENOENT);
}

// A name is listed also if its file cannot be looked at: it is there.
listed_file writable_tree::show_in_list(const listed_entry& entry, listing what) {
  listed_file shown{entry.name, entry.place, {}};
  if (what == listing::names_and_attributes)
    if (const auto file = show(entry.number)) shown.file = *file;
  shown.file.attributes.st_ino = entry.number;
  shown.file.attributes.st_mode |= tree_.type(entry.number);
  return shown;
}

os_result<void> writable_tree::list(node_number folder, listing_place from, listing what,
                                    const std::function<bool(const listed_file&)>& take) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(folder)) return refuse(ESTALE);
  if (!tree_.is_folder(folder)) return refuse(ENOTDIR);
  if (tree_.removed(folder)) return {};
  const auto take_entry = [&](const listed_entry& entry) { return take(show_in_list(entry, what)); };
  if (from <= place_of_self && !take_entry({".", folder, place_of_self})) return {};
  if (from <= place_of_parent && !take_entry({"..", tree_.parent(folder), place_of_parent})) return {};
  tree_.list(folder, from, take_entry);
  return {};
}

os_result<shown_file> writable_tree::make(node_number folder, const std::string& name, mode_t mode,
                                          dev_t device, const maker& by, opened open) {
  const std::lock_guard lock(mutex_);
  if (auto allowed = check_new(folder, name); !allowed) return refuse(allowed.error());
  if (S_ISCHR(mode) && device == 0) return refuse(EPERM);  // it would be a whiteout
  if (auto parent = promote_folder(folder); !parent) return refuse(parent.error());
  auto made = layer_->new_work_file();
  if (S_ISDIR(mode)) {
    if (mkdir(made.c_str(), 0700) != 0) return refuse_as_system();
    if (lsetxattr(made.c_str(), layer_mark::opaque, "y", 1, 0) != 0) return refuse_as_system();
  } else if (mknod(made.c_str(), (mode & S_IFMT) | 0600U, device) != 0) {
    return refuse_as_system();
  }
  if (auto dressed = dress(made.path(), folder, mode, by); !dressed) return refuse(dressed.error());
  return adopt({folder, name}, std::move(made), open);
}

os_result<shown_file> writable_tree::make_symlink(node_number folder, const std::string& name,
                                                  const std::string& target, const maker& by) {
  const std::lock_guard lock(mutex_);
  if (auto allowed = check_new(folder, name); !allowed) return refuse(allowed.error());
  if (auto parent = promote_folder(folder); !parent) return refuse(parent.error());
  auto made = layer_->new_work_file();
  if (symlink(target.c_str(), made.c_str()) != 0) return refuse_as_system();
  if (auto dressed = dress(made.path(), folder, S_IFLNK | 0777U, by); !dressed)
    return refuse(dressed.error());
  return adopt({folder, name}, std::move(made), opened::no);
}

os_result<void> writable_tree::remove_place(const layer_place& place) {
  if (auto parent = promote_folder(place.folder); !parent) return refuse(parent.error());
  const auto number = *tree_.lookup(place.folder, place.name);
  if (auto* node = tree_.find(number))
    if (auto remembered = remember(*node); !remembered) return remembered;
  const auto path = tree_.path(place.folder, place.name);
  const bool hides = covers(place);
  if (auto removed = hides ? layer_->cover(path) : layer_->remove(path); !removed) {
    stays(number);
    return removed;
  }
  hides ? tree_.hide(place) : tree_.take(place);
  remember_folder(number);
  return {};
}

os_result<void> writable_tree::unlink(node_number folder, const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(folder)) return refuse(ESTALE);
  const auto number = tree_.lookup(folder, name);
  if (!number) return refuse(ENOENT);
  if (tree_.is_folder(*number)) return refuse(EISDIR);
  return remove_place({folder, name});
}

os_result<void> writable_tree::remove_folder(node_number folder, const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(folder)) return refuse(ESTALE);
  const auto number = tree_.lookup(folder, name);
  if (!number) return refuse(ENOENT);
  if (!tree_.is_folder(*number)) return refuse(ENOTDIR);
  if (!tree_.is_empty(*number)) return refuse(ENOTEMPTY);
  return remove_place({folder, name});
}

// Under another name a folder would be merged with another one of the image, or with none, and contents of
// the image would not be found. Kernel overlayfs says where they are only when it moves or links itself, and
// then perhaps by a name that holds in the same folder only.
os_result<void> writable_tree::prepare_to_move(node_number number) {
  const auto node = promote(number);
  if (!node) return refuse(node.error());
  if (!is_named(**node)) return {};
  if ((*node)->below) return set_origin(**node);
  const auto path = layer_->at(tree_.path(number));
  const bool folder = S_ISDIR((*node)->type);
  return folder ? outcome_of(lsetxattr(path.c_str(), layer_mark::opaque, "y", 1, 0)) : os_result<void>{};
}

os_result<void> writable_tree::set_origin(const layer_node& node) const {
  const auto origin = "/" + tree_.image_path(node.image);
  return outcome_of(
      lsetxattr(disk_path(node).c_str(), layer_mark::redirect, origin.data(), origin.size(), 0));
}

/// Another file gets this name.
os_result<void> writable_tree::make_way(const layer_place& place, node_number number) {
  if (tree_.is_folder(number) && !tree_.is_empty(number)) return refuse(ENOTEMPTY);
  auto* const node = tree_.find(number);
  if (node == nullptr) return {};
  const auto remembered = remember(*node);
  return remembered && !node->entries.empty() ? layer_->clear(tree_.path(place.folder, place.name))
                                              : remembered;
}

os_result<void> writable_tree::rename(const layer_place& from, const layer_place& to, unsigned flags) {
  const std::lock_guard lock(mutex_);
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0) return refuse(EINVAL);
  const bool exchange = (flags & RENAME_EXCHANGE) != 0;
  if (!tree_.known(from.folder) || !tree_.known(to.folder)) return refuse(ESTALE);
  const auto source = tree_.lookup(from.folder, from.name);
  const auto target = tree_.lookup(to.folder, to.name);
  if (!source || (exchange && !target)) return refuse(ENOENT);
  if (target && (flags & RENAME_NOREPLACE) != 0) return refuse(EEXIST);
  if (is_whiteout_name(to.name)) return refuse(EPERM);
  if (to.name.size() > NAME_MAX) return refuse(ENAMETOOLONG);
  for (const auto folder : {from.folder, to.folder})
    if (auto parent = promote_folder(folder); !parent) return refuse(parent.error());
  if (auto prepared = prepare_to_move(*source); !prepared) return prepared;
  const auto old_path = tree_.path(from.folder, from.name);
  const auto new_path = tree_.path(to.folder, to.name);
  if (exchange) {
    if (auto prepared = prepare_to_move(*target); !prepared) return prepared;
    if (auto exchanged = layer_->exchange(old_path, new_path); !exchanged) return exchanged;
    tree_.put(to, *source);
    tree_.put(from, *target);
    return {};
  }
  if (target)
    if (auto ready = make_way(to, *target); !ready) {
      stays(*target);
      return ready;
    }
  const bool hides = covers(from);
  if (auto moved = layer_->move(old_path, new_path, hides); !moved) {
    if (target) stays(*target);
    return moved;
  }
  hides ? tree_.hide(from) : tree_.take(from);
  tree_.put(to, *source);
  if (target) remember_folder(*target);
  return {};
}

os_result<void> writable_tree::exchange(const layer_place& from, const layer_place& to,
                                        std::uint64_t request) {
  const auto one = lookup(from.folder, from.name);
  const auto other = lookup(to.folder, to.name);
  if (!one || !other) return refuse(one ? other.error() : one.error());
  {
    const std::lock_guard lock(mutex_);
    if (auto noted = exchanges_.add(request, {one->number, other->number}); !noted) return noted;
  }
  // Until the answer the kernel lets nobody else change the two names.
  return rename(from, to, RENAME_EXCHANGE);
}

bool writable_tree::was_exchanged(const layer_place& from, const layer_place& to, std::uint64_t request) {
  const std::lock_guard lock(mutex_);
  const auto before = exchanges_.find(request);
  if (!before || !tree_.known(from.folder) || !tree_.known(to.folder)) return false;
  // Either tells.
  return tree_.lookup(from.folder, from.name) == before->to ||
         tree_.lookup(to.folder, to.name) == before->from;
}

void writable_tree::forget_exchange(std::uint64_t request) {
  const std::lock_guard lock(mutex_);
  exchanges_.remove(request);
}

os_result<shown_file> writable_tree::link(node_number number, node_number folder, const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(number)) return refuse(ESTALE);
  if (auto allowed = check_new(folder, name); !allowed) return refuse(allowed.error());
  if (auto parent = promote_folder(folder); !parent) return refuse(parent.error());
  if (auto prepared = prepare_to_move(number); !prepared) return refuse(prepared.error());
  const auto node = promote(number);
  if (!node) return refuse(node.error());
  if (!has_path(**node)) return refuse(ENOENT);
  const auto path = tree_.path(folder, name);
  const auto linked =
      is_named(**node) ? layer_->link(tree_.path(number), path) : layer_->place(kept_->path(number), path);
  if (!linked) return refuse(linked.error());
  (*node)->kept = false;
  tree_.put({folder, name}, number);
  return show(number);
}

}  // namespace firstlight
