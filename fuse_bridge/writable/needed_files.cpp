#include "fuse_bridge/writable/needed_files.hpp"

namespace firstlight {

needed_files::user::user(std::shared_ptr<all_users> all, node_number number) : all_(std::move(all)) {
  const std::lock_guard lock(all_->mutex);
  place_ = all_->files.insert(number);
}

needed_files::user::~user() {
  const std::lock_guard lock(all_->mutex);
  all_->files.erase(place_);
}

std::shared_ptr<const needed_files::user> needed_files::add(node_number number) {
  return std::make_shared<const user>(all_, number);
}

bool needed_files::contains(node_number number) const {
  const std::lock_guard lock(all_->mutex);
  return all_->files.contains(number);
}

}  // namespace firstlight
