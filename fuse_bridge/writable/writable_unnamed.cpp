// The files of a writable_tree that have no name: removed ones that may be open, and those made without one.
#include <sys/stat.h>

#include "fuse_bridge/attributes.hpp"
#include "fuse_bridge/writable/writable_tree.hpp"

namespace firstlight {

os_result<shown_file> writable_tree::make_unnamed(node_number folder, mode_t mode, const maker& by) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(folder)) return refuse(ESTALE);
  if (auto parent = promote_folder(folder); !parent) return refuse(parent.error());
  auto made = layer_->new_work_file();
  if (mknod(made.c_str(), S_IFREG | 0600U, 0) != 0) return refuse_as_system();
  if (auto dressed = dress(made.path(), folder, S_IFREG | mode, by); !dressed) return refuse(dressed.error());
  auto node = new_node(made.path());
  if (!node) return refuse(node.error());
  const auto number = node->number;
  if (auto kept = kept_->move(made.path(), number); !kept) return refuse(kept.error());
  made.moved();
  node->kept = true;
  tree_.add(std::move(*node));
  ++opens_[number];
  return show(number);
}

/// What loses its last name may be open: its file or its attributes stay known.
os_result<void> writable_tree::remember(layer_node& node) {
  if (node.places.size() > 1) return {};
  const auto now = attributes_of(node.number);
  if (!now) return refuse(now.error());
  node.last = *now;
  node.last.st_nlink = 0;
  // One of the image that is gone the next process knows as such. This one has its number of an inode of the
  // disk that another file can get.
  if (S_ISDIR(node.type) && !tree_.is_image_inode(node.number))
    node.kept = kept_->copy_folder(disk_path(node), node.number).has_value();
  // Special files are opened by the kernel alone, which tells nobody.
  const bool special = !S_ISREG(node.type) && !S_ISDIR(node.type) && !S_ISLNK(node.type);
  return special || (S_ISREG(node.type) && is_used(node.number)) ? keep(node) : os_result<void>{};
}

/// A folder of the image that was removed as it is may be open, too.
void writable_tree::remember_folder(node_number number) {
  if (tree_.find(number) != nullptr || !tree_.is_folder(number)) return;
  layer_node node;
  node.number = number;
  node.image = static_cast<inode_number>(number);
  node.type = S_IFDIR;
  node.last = firstlight::attributes_of(image_inode(number), node.image, directories_);
  node.last.st_nlink = 0;
  tree_.add(std::move(node));
}

os_result<void> writable_tree::keep(layer_node& node) {
  // The name that is kept does not say where in the image the contents are.
  const bool tells = !node.below || node.number == node.image || set_origin(node);
  if (tells && kept_->link(disk_path(node), node.number)) {
    node.kept = true;
    return {};
  }
  // On a full disk it must be possible to remove something: then it lives as long as this process.
  const auto file = opened_file(node);
  if (!file) return refuse(file.error());
  node.file = *file;
  return {};
}

void writable_tree::drop_kept(layer_node& node) const {
  if (node.kept) kept_->drop(node.number);
  node.kept = false;
}

/// A name that was to be the last one has not gone.
void writable_tree::stays(node_number number) {
  auto* const node = tree_.find(number);
  if (node != nullptr && !node->places.empty()) drop_kept(*node);
}

// Once it has no name nobody looks the number up any more, and whoever did before has had his answer: the
// kernel lets nobody change a folder's names meanwhile. So what the kernel says, with the lock, holds for
// ever.
void writable_tree::forget(node_number number, const std::function<bool()>& is_known) {
  const std::lock_guard lock(mutex_);
  auto* node = tree_.find(number);
  if (node == nullptr || number == root_inode || !node->places.empty() || opens_.contains(number)) return;
  if (is_known()) return;
  drop_kept(*node);
  tree_.erase(number);
}

}  // namespace firstlight
