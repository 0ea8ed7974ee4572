#include "model/image_needs.hpp"

#include <algorithm>

namespace firstlight {

bool is_needed(const containerd_images& containerd, const image_in_store& image) {
  if (!containerd.is_served) return false;
  if (!containerd.snapshots) return true;
  return containerd.snapshots->contains(image.manifest) || containerd.held.contains(image.key);
}

bool stays_above_limit(const image_needs& needs, const image_in_store& image) {
  return needs.mounted.contains(image.toc) || needs.waiting.contains(image.toc) ||
         is_needed(needs.containerd, image);
}

bool stays_when_evicted(const std::set<toc_id>& mounted, const std::optional<image_key>& only,
                        const image_in_store& image) {
  const bool meant = !only || image.key == *only;
  return !meant || mounted.contains(image.toc);
}

former_fate fate_of_former(const image_needs& needs, const image_in_store& image) {
  const auto& containerd = needs.containerd;
  const bool has_snapshots = !containerd.snapshots || containerd.snapshots->contains(image.manifest);
  if (has_snapshots || !containerd.held.contains(image.key)) return former_fate::stays;
  return needs.mounted.contains(image.toc) ? former_fate::goes_unmounted : former_fate::goes;
}

bool may_need_fewer(const snapshot_manifests& before, const snapshot_manifests& now) {
  return !before || !now || !std::includes(now->begin(), now->end(), before->begin(), before->end());
}

}  // namespace firstlight
