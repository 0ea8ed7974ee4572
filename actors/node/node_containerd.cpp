#include "actors/node/node_shell.hpp"

namespace firstlight::detail {
namespace {

bool serves_containerd(const node_shell& my) {
  return my.tools->registrar || my.state().snapshotter;
}

/// @returns whether nothing is left to do.
result<bool> forget_one(const node_shell& my, const image_needs& needs, const catalogue_name& former) {
  auto& catalogue = my.tools->catalogue;
  const auto record = catalogue.find(former.reference, former.platform);
  if (!record && record.error().code != errc::corrupt) return tl::unexpected(record.error());
  if (!record || !*record) return true;
  const auto fate = fate_of_former(needs, in_store(**record));
  if (fate != former_fate::goes) return fate == former_fate::stays;
  my.state().has_unnamed = true;
  return catalogue.remove(former.reference, former.platform).map([] { return true; });
}

}  // namespace

former_versions former_versions_here(const node_shell& my) {
  return serves_containerd(my) ? former_versions::pinned : former_versions::forgotten;
}

void note_snapshots(const node_shell& my, const snapshot_news& news) {
  auto& state = my.state();
  state.snapshots = news.now;
  state.snapshot_damage = news.damage;
  const bool fewer = may_need_fewer(state.snapshot_manifests, news.manifests);
  if (news.manifests) state.snapshot_manifests = news.manifests;
  if (fewer) keep_store_limit(my);
}

result<containerd_images> images_of_containerd(const node_shell& my) {
  const auto held = my.tools->catalogue.held_for_containerd();
  if (!held) return tl::unexpected(held.error());
  containerd_images images{serves_containerd(my), my.state().snapshot_manifests, {}};
  for (const auto& image : *held) images.held.emplace(image.reference, image.platform);
  return images;
}

void note_replaced(const node_shell& my, const version_replaced& news) {
  my.state().has_unnamed = true;
  if (!news.former.reference.empty()) my.state().former.push_back(news.former);
}

// Not while containerd is being told of images: one of these may be meant.
result<void> forget_former(const node_shell& my) {
  auto& state = my.state();
  if (state.former.empty() || !state.snapshot_manifests || !state.registering.empty()) return {};
  const auto needs = gather_needs(my);
  if (!needs) return tl::unexpected(needs.error());
  std::vector<catalogue_name> later;
  for (const auto& former : state.former) {
    const auto done = forget_one(my, *needs, former);
    if (!done) return tl::unexpected(done.error());
    if (!*done) later.push_back(former);
  }
  state.former = std::move(later);
  return {};
}

}  // namespace firstlight::detail
