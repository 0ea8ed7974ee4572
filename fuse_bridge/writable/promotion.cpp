// Promotion of entries to the read-write layer: the private half of writable_tree that makes them there.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>

#include "fuse_bridge/attributes.hpp"
#include "fuse_bridge/writable/layer_marks.hpp"
#include "fuse_bridge/writable/writable_tree.hpp"
#include "storage/erofs/xattrs.hpp"

namespace firstlight {
namespace {

os_result<void> set_mark(const std::string& path, const char* name, std::string_view value) {
  return outcome_of(lsetxattr(path.c_str(), name, value.data(), value.size(), 0));
}

/// A file of the inode's type and size, without contents.
os_result<void> make_bare(const std::string& path, const inode_view& inode) {
  const auto device = makedev(inode.device_major, inode.device_minor);
  switch (inode.type) {
    case file_type::directory:
      return outcome_of(mkdir(path.c_str(), 0700));
    case file_type::symlink:
      return outcome_of(symlink(std::string(inode.symlink_target).c_str(), path.c_str()));
    case file_type::regular:
    case file_type::character_device:
    case file_type::block_device:
    case file_type::fifo:
      break;
  }
  if (mknod(path.c_str(), (inode.mode & S_IFMT) | 0600U, device) != 0) return refuse_as_system();
  return inode.size == 0 ? os_result<void>{}
                         : outcome_of(truncate(path.c_str(), static_cast<off_t>(inode.size)));
}

os_result<void> set_attributes_of(const std::string& path, const toc_view& toc, const inode_view& inode) {
  if (lchown(path.c_str(), inode.uid, inode.gid) != 0) return refuse_as_system();
  if (inode.type != file_type::symlink && chmod(path.c_str(), inode.mode & 07777U) != 0)
    return refuse_as_system();
  for (std::uint32_t position = 0; position < inode.xattr_count; ++position) {
    const auto attribute = toc.xattribute(inode, position);
    if (!erofs::stored_form(attribute, inode.type)) continue;  // Linux shows it on no such file
    const auto name = stored_xattr_name(attribute.name);
    if (auto set = set_mark(path, name.c_str(), attribute.value); !set && set.error() != EOPNOTSUPP)
      return set;
  }
  return {};
}

/// The contents are the file's own from here on. Kernel overlayfs leaves a redirect only where it has renamed
/// or linked.
os_result<void> drop_marks(const std::string& path) {
  for (const auto* mark : {layer_mark::metacopy, layer_mark::redirect})
    if (removexattr(path.c_str(), mark) != 0 && errno != ENODATA) return refuse_as_system();
  return {};
}

os_result<void> set_times(const std::string& path, const timespec& accessed, const timespec& modified) {
  const std::array times{accessed, modified};
  return outcome_of(utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW));
}

timespec time_of(const inode_view& inode) {
  return {inode.modified.seconds, static_cast<long>(inode.modified.nanoseconds)};
}

/// A folder that gets entries which it has shown all along must not look changed.
class kept_times {
 public:
  explicit kept_times(std::string path) : path_(std::move(path)) {
    known_ = lstat(path_.c_str(), &before_) == 0;
  }
  ~kept_times() {
    if (known_) (void)set_times(path_, before_.st_atim, before_.st_mtim);
  }
  kept_times(const kept_times&) = delete;
  kept_times& operator=(const kept_times&) = delete;

 private:
  std::string path_;
  struct stat before_ {};
  bool known_ = false;
};

constexpr std::uint64_t copy_part_bytes = 32U << 20U;  // between looks at whether to stop

/// By the kernel, which lets files share what they have in common where the disk allows.
os_result<void> copy_start(int from, int to, std::uint64_t bytes, const std::atomic<bool>& stop) {
  off_t at = 0;
  for (off_t target = 0; static_cast<std::uint64_t>(at) < bytes;) {
    if (stop) return refuse(EIO);
    const auto part = std::min(copy_part_bytes, bytes - static_cast<std::uint64_t>(at));
    const auto got = copy_file_range(from, &at, to, &target, part, 0);
    if (got <= 0) return refuse(got == 0 ? EIO : errno);
  }
  return {};
}

layer_node promoted_node(node_number number, const inode_view& inode) {
  layer_node node;
  node.number = number;
  node.image = static_cast<inode_number>(number);
  node.type = inode.mode & S_IFMT;
  node.below = inode.type == file_type::directory || (inode.type == file_type::regular && inode.size != 0);
  return node;
}

int as_errno(const error& why) {
  return why.code == errc::no_space ? ENOSPC : EIO;
}

os_result<void> copy_blocks(const content_store& store, const content_info& content, int to,
                            std::uint64_t bytes, const std::atomic<bool>& stop) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(bytes, 1U << 20U));
  for (std::uint64_t offset = 0; offset < bytes;) {
    if (stop) return refuse(EIO);
    const auto part = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), bytes - offset));
    const auto got = store.read(content, offset, part);
    if (!got || *got != part.size()) return refuse(got ? EIO : as_errno(got.error()));
    if (const auto written = write_at(to, part, offset, "promote a file"); !written)
      return refuse(as_errno(written.error()));
    offset += part.size();
  }
  return {};
}

}  // namespace

// The root is the upper folder itself.
os_result<void> writable_tree::promote_root() {
  const auto root = toc_->inode(root_inode);
  const auto path = layer_->at(".");
  const auto dressed = set_attributes_of(path, *toc_, root);
  const auto time = time_of(root);
  return dressed ? set_times(path, time, time) : dressed;
}

os_result<work_file> writable_tree::make_promoted(node_number number, const inode_view& inode) {
  auto file = layer_->new_work_file();
  const auto& name = file.path();
  auto made = make_bare(name, inode);
  if (made) made = set_attributes_of(name, *toc_, inode);
  if (made && inode.type == file_type::regular && inode.size != 0) {
    made = set_mark(name, layer_mark::redirect, "/" + tree_.image_path(static_cast<inode_number>(number)));
    if (made) made = set_mark(name, layer_mark::metacopy, {});
  }
  if (made) made = numbers_.set(name, number);
  const auto time = time_of(inode);
  if (made) made = set_times(name, time, time);
  if (!made) return refuse(made.error());
  return file;
}

os_result<layer_node*> writable_tree::promote_folder(node_number folder) {
  if (tree_.is_folder(folder) && tree_.removed(folder)) return refuse(ENOENT);
  auto node = promote(folder);
  if (node && !S_ISDIR((*node)->type)) return refuse(ENOTDIR);
  return node;
}

// What has been removed but is open still. Of folders that were removed here there is a node.
os_result<layer_node*> writable_tree::promote_removed(node_number number, const inode_view& inode) {
  if (inode.type == file_type::directory) return refuse(ENOENT);
  auto made = make_promoted(number, inode);
  if (!made) return refuse(made.error());
  if (auto kept = kept_->move(made->path(), number); !kept) return refuse(kept.error());
  made->moved();
  auto& node = tree_.add(promoted_node(number, inode));
  node.kept = true;
  return &node;
}

// Only some of its names are the layer's: later those would be taken for all.
void writable_tree::undo_promotion(node_number number) {
  const auto places = tree_.find(number)->places;
  for (const auto& place : places) {
    const kept_times parent(layer_->at(tree_.path(place.folder)));
    if (layer_->remove(tree_.path(place.folder, place.name))) tree_.take(place);
  }
  if (tree_.find(number)->places.empty()) tree_.erase(number);
}

os_result<layer_node*> writable_tree::promote(node_number number) {
  if (auto* node = tree_.find(number)) return node;
  const auto inode = image_inode(number);
  if (erofs::is_whiteout(inode)) return refuse(EPERM);  // the layer would hide it
  const auto places = tree_.image_places(static_cast<inode_number>(number));
  if (places.empty()) return promote_removed(number, inode);
  for (const auto& place : places)
    if (auto parent = promote(place.folder); !parent) return refuse(parent.error());
  auto made = make_promoted(number, inode);
  if (!made) return refuse(made.error());
  layer_node* node = nullptr;
  for (const auto& place : places) {
    const kept_times parent(layer_->at(tree_.path(place.folder)));
    const auto path = tree_.path(place.folder, place.name);
    const bool first = node == nullptr;
    const auto placed = first ? layer_->place(made->path(), path) : layer_->link(tree_.path(number), path);
    if (!placed && !first) undo_promotion(number);
    if (!placed) return refuse(placed.error());
    if (first) {
      made->moved();
      node = &tree_.add(promoted_node(number, inode));
    }
    tree_.put(place, number);
  }
  return node;
}

patient_result<void> writable_tree::promote_contents(std::unique_lock<std::mutex>& lock, node_number number,
                                                     std::uint64_t bytes, pace how) {
  const auto refused = [](int why) { return tl::unexpected(obstacle{why}); };
  auto* node = tree_.find(number);
  const auto content = toc_->inode(node->image).content;
  if (bytes != 0) {
    const auto count = static_cast<std::uint32_t>((bytes - 1) / toc_->block_bytes() + 1);
    if (!toc_->contents_known() || !store_.ready(toc_->content(content), 0, count))
      return tl::unexpected(obstacle{.missing = missing_contents{node->image, {content, 0, count}, bytes},
                                     .needed = needed_.add(number)});
  }
  const bool takes_long = bytes > copied_at_once_max_;
  if (takes_long && how == pace::at_once)
    return tl::unexpected(obstacle{.slow = true, .needed = needed_.add(number)});
  // In place the file on the disk stays the same one, and with it a number that is not the image's. But
  // nobody else may come in between: what takes long is copied so only if it has no path that a copy could
  // get.
  const bool in_place = takes_long ? !has_path(*node) : node->places.empty() || node->number != node->image;
  if (in_place) {
    const auto filled = fill(*node, bytes);
    return filled ? patient_result<void>{} : refused(filled.error());
  }
  auto copy = copy_beside(lock, *node, bytes);
  if (!copy) return refused(copy.error());
  node = tree_.find(number);
  // Meanwhile somebody may have cut it short.
  const bool still = node != nullptr && node->below && has_path(*node);
  const auto installed = still ? install(*node, std::move(*copy)) : os_result<void>{};
  copy->discard();
  if (!installed) return refused(installed.error());
  if (node == nullptr) return refused(ESTALE);
  return node->below ? promote_contents(lock, number, bytes, how) : patient_result<void>{};
}

os_result<work_file> writable_tree::copy_beside(std::unique_lock<std::mutex>& lock, const layer_node& node,
                                                std::uint64_t bytes) {
  const auto content = toc_->inode(node.image).content;
  if (bytes <= copied_at_once_max_) return copy_of(content, bytes);
  const auto meanwhile = needed_.add(node.number);
  lock.unlock();
  auto copy = copy_of(content, bytes);
  lock.lock();
  return copy;
}

os_result<void> writable_tree::copy_contents(std::uint32_t number, int to, std::uint64_t bytes) const {
  const auto content = toc_->content(number);
  if (const auto from = store_.open_complete(content)) {
    const file_descriptor source(*from);
    if (bytes == content.size && ioctl(to, FICLONE, source.get()) == 0) return {};
    if (const auto copied = copy_start(source.get(), to, bytes, stopping_); copied || stopping_)
      return copied;
  }
  return copy_blocks(store_, content, to, bytes, stopping_);
}

/// A file in the work folder with the first bytes of a content, durable.
os_result<work_file> writable_tree::copy_of(std::uint32_t content, std::uint64_t bytes) const {
  auto copy = layer_->new_work_file();
  const file_descriptor file(::open(copy.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return refuse_as_system();
  if (bytes == 0) return copy;
  if (auto copied = copy_contents(content, file.get(), bytes); !copied) return refuse(copied.error());
  if (fdatasync(file.get()) != 0) return refuse_as_system();
  return copy;
}

/// The copy takes the place of the file without contents under all of its names, or of the one that is kept.
os_result<void> writable_tree::install(layer_node& node, work_file copy) {
  if (auto dressed = copy_attributes(disk_path(node), copy.path()); !dressed) return dressed;
  // What kernel overlayfs has promoted says no number, and the copy is another file of the disk.
  if (auto noted = numbers_.set(copy.path(), node.number); !noted) return noted;
  if (auto dropped = drop_marks(copy.path()); !dropped) return dropped;
  if (node.places.empty()) {
    if (auto kept = kept_->move(copy.path(), node.number); !kept) return kept;
    copy.moved();
  }
  for (const auto& place : node.places) {
    const kept_times parent(layer_->at(tree_.path(place.folder)));
    const auto path = tree_.path(place.folder, place.name);
    const bool first = place == node.places.front();
    const auto installed =
        first ? layer_->replace(copy.path(), path) : layer_->replace_by_link(tree_.path(node.number), path);
    if (!installed) return installed;
    if (first) copy.moved();
  }
  node.file.reset();
  node.below = false;
  return {};
}

/// In place. A crash on the way leaves other times and no file capabilities.
os_result<void> writable_tree::fill(layer_node& node, std::uint64_t bytes) {
  const auto file = opened_file(node);
  if (!file) return refuse(file.error());
  const int to = (*file)->get();
  struct stat before {};
  if (fstat(to, &before) != 0) return refuse_as_system();
  std::string capability(XATTR_SIZE_MAX, '\0');  // writing takes it away
  const auto capable = fgetxattr(to, "security.capability", capability.data(), capability.size());
  if (bytes != 0)
    if (auto copied = copy_contents(toc_->inode(node.image).content, to, bytes); !copied) return copied;
  if (ftruncate(to, static_cast<off_t>(bytes)) != 0) return refuse_as_system();
  if (capable > 0 &&
      fsetxattr(to, "security.capability", capability.data(), static_cast<std::size_t>(capable), 0) != 0)
    return refuse_as_system();
  const std::array times{before.st_atim, before.st_mtim};
  if (futimens(to, times.data()) != 0) return refuse_as_system();
  // What kernel overlayfs has promoted said which file of the image it is by the marks that go.
  if (node.number == node.image)
    if (auto noted = numbers_.set(to, node.number); !noted) return noted;
  // From here on a crash must not find the mark gone and the contents lost.
  if (bytes != 0 && fdatasync(to) != 0) return refuse_as_system();
  if (auto dropped = drop_marks(descriptor_path(to)); !dropped) return dropped;
  node.below = false;
  return {};
}

}  // namespace firstlight
