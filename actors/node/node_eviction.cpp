#include <spdlog/spdlog.h>

#include <limits>

#include "actors/node/node_shell.hpp"
#include "storage/evict_images.hpp"

namespace firstlight::detail {
namespace {

/// Beside what mounts need: images whose deliveries wait, or that containerd has, are only forgotten when a
/// user says so.
result<eviction_request> what_stays(const node_shell& my) {
  const auto containerds = what_containerd_needs(my);
  if (!containerds) return tl::unexpected(containerds.error());
  auto request = what_mounts_need(my);
  std::set<toc_id> waiting;
  for (const auto& image : resting_images(my)) waiting.insert(image.record.toc);
  use_resting(my, request);
  request.needed = [waiting, mounted = request.needed, containerds = *containerds](const auto& record) {
    return waiting.contains(record.toc) || mounted(record) || containerds(record);
  };
  const auto limit = my.tools->store_bytes_max;
  request.bytes_max = limit > 0 ? limit : std::numeric_limits<std::uint64_t>::max();
  return request;
}

}  // namespace

eviction_request what_mounts_need(const node_shell& my) {
  eviction_request request{.bytes_max = 0, .needed = {}, .in_use = {}};
  std::set<toc_id> mounted;
  for (const auto& [name, mount] : my.state().mounts) {
    const auto& image = mount.entry.image;
    mounted.insert(image.record.toc);
    request.in_use.push_back({image.record.toc, image.toc});
  }
  request.needed = [mounted](const image_record& record) { return mounted.contains(record.toc); };
  return request;
}

// Their records name those whose contents are not known yet.
void use_resting(const node_shell& my, eviction_request& request) {
  for (const auto& image : resting_images(my))
    if (image.toc->contents_known()) request.in_use.push_back({image.record.toc, image.toc});
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
  const auto evicted = what_stays(my).and_then([&](const eviction_request& request) {
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
