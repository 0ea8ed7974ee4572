#include <spdlog/spdlog.h>

#include <limits>

#include "actors/node/node_shell.hpp"
#include "storage/evict_images.hpp"

namespace firstlight::detail {
namespace {

result<eviction_request> what_may_go(const node_shell& my) {
  auto needs = gather_needs(my);
  if (!needs) return tl::unexpected(needs.error());
  const auto limit = my.tools->store_bytes_max;
  return eviction_request{
      .bytes_max = limit > 0 ? limit : std::numeric_limits<std::uint64_t>::max(),
      .needed = [needs = std::move(*needs)](
                    const image_record& record) { return stays_above_limit(needs, in_store(record)); },
      .in_use = images_in_use(my)};
}

}  // namespace

std::set<toc_id> mounted_versions(const node_shell& my) {
  std::set<toc_id> versions;
  for (const auto& [name, mount] : my.state().mounts) versions.insert(mount.entry.image.record.toc);
  return versions;
}

result<image_needs> gather_needs(const node_shell& my) {
  auto containerd = images_of_containerd(my);
  if (!containerd) return tl::unexpected(containerd.error());
  image_needs needs{mounted_versions(my), {}, std::move(*containerd)};
  for (const auto& image : resting_images(my)) needs.waiting.insert(image.record.toc);
  return needs;
}

// Records name those whose contents are not known yet.
std::vector<used_image> images_in_use(const node_shell& my) {
  std::vector<used_image> used;
  for (const auto& [name, mount] : my.state().mounts)
    used.push_back({mount.entry.image.record.toc, mount.entry.image.toc});
  for (const auto& image : resting_images(my))
    if (image.toc->contents_known()) used.push_back({image.record.toc, image.toc});
  return used;
}

bool is_above_limit(const node_shell& my) {
  const auto limit = my.tools->store_bytes_max;
  return limit > 0 && my.tools->contents.bytes_stored() > limit;
}

// In the root itself: nothing can begin to arrive meanwhile.
void keep_store_limit(const node_shell& my) {
  auto& state = my.state();
  if (state.stopping || something_arrives(state)) return;
  if (auto gone = forget_former(my); !gone)
    spdlog::error("former versions of images stay: {}", to_string(gone.error()));
  if (!is_above_limit(my) && !state.has_unnamed) return;
  const auto evicted = what_may_go(my).and_then([&](const eviction_request& request) {
    return evict_images(my.tools->catalogue, my.tools->contents, request);
  });
  if (!evicted) return spdlog::error("what is not needed stays in the store: {}", to_string(evicted.error()));
  state.has_unnamed = false;
  for (const auto& image : evicted->images)
    spdlog::info("forgot {} ({}): the store is above store_bytes_max", image.reference, image.platform);
  if (is_above_limit(my))
    spdlog::warn(
        "the store stays above store_bytes_max: all that is left is mounted, waits for the hub, or is "
        "containerd's");
}

void note_unmounted(const node_shell& my, const toc_id& toc) {
  const auto named = my.tools->catalogue.find_toc(toc);
  if (!named || !*named) my.state().has_unnamed = true;
}

}  // namespace firstlight::detail
