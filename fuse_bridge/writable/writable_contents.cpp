// The contents of files of a writable_tree.
#include <fcntl.h>
#include <unistd.h>

#include "fuse_bridge/writable/writable_tree.hpp"

namespace firstlight {

// Kept while the file is open.
os_result<std::shared_ptr<const file_descriptor>> writable_tree::opened_file(layer_node& node) {
  if (node.file) return node.file;
  if (!has_path(node)) return refuse(ESTALE);
  // To open a device or a pipe does something.
  const int access = S_ISREG(node.type) ? O_RDWR | O_NONBLOCK : O_PATH;
  file_descriptor file(::open(disk_path(node).c_str(), access | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return refuse_as_system();
  auto shared = std::make_shared<const file_descriptor>(std::move(file));
  if (opens_.contains(node.number)) node.file = shared;
  return shared;
}

// What loses its last name is kept only if it is open. Whoever has looked the name up before may open it
// after.
bool writable_tree::cannot_be_read(const layer_node& node) {
  return S_ISREG(node.type) && !node.below && !node.file && !has_path(node);
}

patient_result<void> writable_tree::open_file(node_number number, int flags, pace how) {
  const auto refused = [](int why) { return tl::unexpected(obstacle{why}); };
  std::unique_lock lock(mutex_);
  if (!tree_.known(number)) return refused(ESTALE);
  const bool truncates = (flags & O_TRUNC) != 0;
  const bool writes = truncates || (flags & O_ACCMODE) != O_RDONLY;
  if (writes && S_ISREG(tree_.type(number))) {
    const auto node = promote(number);
    if (!node) return refused(node.error());
    if ((*node)->below)
      if (auto ready = promote_contents(lock, number, truncates ? 0 : toc_->inode((*node)->image).size, how);
          !ready)
        return ready;
    auto* const promoted = tree_.find(number);
    const auto file = promoted != nullptr ? opened_file(*promoted) : refuse(ESTALE);
    if (!file) return refused(file.error());
    if (truncates && ftruncate((*file)->get(), 0) != 0) return refused(errno);
    promoted->file = *file;
  } else if (const auto* node = tree_.find(number); node != nullptr && cannot_be_read(*node)) {
    return refused(ESTALE);  // the kernel then looks the name up again, and finds none
  }
  ++opens_[number];
  return {};
}

void writable_tree::release(node_number number) {
  const std::lock_guard lock(mutex_);
  const auto open = opens_.find(number);
  if (open != opens_.end() && --open->second > 0) return;
  if (open != opens_.end()) opens_.erase(open);
  auto* node = tree_.find(number);
  if (node == nullptr || (!node->file && !node->kept)) return;
  if (node->places.empty()) {
    // Whoever opened it before this process may still use it, and who waits to open it for writing needs it
    // for the contents. The kernel forgets it after the last.
    const bool used = is_used(number) || node->below;
    if (used && !node->kept) return;
    if (const auto last = attributes_of(number)) node->last = *last;
    node->last.st_nlink = 0;
    if (!used) drop_kept(*node);
  }
  node->file.reset();
}

os_result<std::shared_ptr<const file_descriptor>> writable_tree::file_of(node_number number) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(number)) return refuse(ESTALE);
  auto* node = tree_.find(number);
  if (node == nullptr || node->below) return std::shared_ptr<const file_descriptor>{};
  return opened_file(*node);
}

inode_number writable_tree::image_of(node_number number) {
  const std::lock_guard lock(mutex_);
  const auto* node = tree_.find(number);
  return node != nullptr ? node->image : static_cast<inode_number>(number);
}

os_result<std::optional<file_descriptor>> writable_tree::for_sync(node_number number) {
  const std::lock_guard lock(mutex_);
  if (!tree_.known(number)) return refuse(ESTALE);
  const auto* node = tree_.find(number);
  if (node == nullptr || is_gone(*node)) return std::optional<file_descriptor>{};
  const auto path = grab(*node);
  if (!path) return refuse(path.error());
  file_descriptor file(::open(descriptor_path(path->get()).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return refuse_as_system();
  return std::optional<file_descriptor>(std::move(file));
}

}  // namespace firstlight
