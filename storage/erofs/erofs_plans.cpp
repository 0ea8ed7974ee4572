#include "storage/erofs/erofs_plans.hpp"

#include <algorithm>

namespace firstlight {

void erofs_plans::plan_ahead(const std::shared_ptr<const toc_view>& toc, const toc_id& id) {
  if (toc->inode_count() > limits_.planned_ahead_inodes_max) return;
  auto image = erofs_image::plan(toc, id, limits_);
  if (!image) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(plans_, [&](const planned& one) { return one.toc == toc; });
  if (plans_.size() >= limits_.planned_ahead_max) plans_.pop_front();
  plans_.push_back({toc, std::move(*image)});
}

result<erofs_image> erofs_plans::take(const std::shared_ptr<const toc_view>& toc, const toc_id& id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(plans_.begin(), plans_.end(), [&](const planned& one) { return one.toc == toc; });
    if (found != plans_.end()) {
      auto image = std::move(found->image);
      plans_.erase(found);
      return image;
    }
  }
  return erofs_image::plan(toc, id, limits_);
}

}  // namespace firstlight
