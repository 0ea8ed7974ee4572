#include <spdlog/spdlog.h>

#include "actors/node/node_shell.hpp"
#include "storage/evict_images.hpp"

namespace firstlight::detail {

eviction_request what_mounts_need(const node_shell& my) {
  eviction_request request{.bytes_max = 0, .needed = {}, .in_use = {}};
  std::set<toc_id> mounted;
  for (const auto& [name, mount] : my.state().mounts) {
    mounted.insert(mount.entry.image.record.toc);
    request.in_use.push_back(mount.entry.image.toc);
  }
  request.needed = [mounted](const image_record& record) { return mounted.contains(record.toc); };
  return request;
}

// In the root itself: nothing can begin to arrive meanwhile.
void keep_store_limit(const node_shell& my) {
  const auto limit = my.tools->store_bytes_max;
  if (my.state().stopping || something_arrives(my.state())) return;
  if (auto gone = forget_former(my); !gone)
    spdlog::error("former versions of images stay: {}", to_string(gone.error()));
  if (limit == 0) return;
  auto request = what_mounts_need(my);
  request.bytes_max = limit;
  std::set<toc_id> resting;
  for (const auto& image : resting_images(my)) {
    resting.insert(image.record.toc);
    request.in_use.push_back(image.toc);
  }
  request.needed = [resting, mounted = request.needed](const image_record& record) {
    return resting.contains(record.toc) || mounted(record);
  };
  const auto evicted = evict_images(my.tools->catalogue, my.tools->contents, request);
  if (!evicted) return spdlog::error("the store stays above its limit: {}", to_string(evicted.error()));
  for (const auto& image : evicted->images)
    spdlog::info("forgot {} ({}): the store is above store_bytes_max", image.reference, image.platform);
  if (my.tools->contents.bytes_stored() > limit)
    spdlog::warn("the store stays above store_bytes_max: all that is left is mounted, or waits for the hub");
}

}  // namespace firstlight::detail
