#include "actors/node/node_shell.hpp"

namespace firstlight::detail {
namespace {

bool serves_containerd(const node_shell& my) {
  return my.tools->registrar || my.state().snapshotter;
}

bool is_mounted(const node_shell& my, const toc_id& toc) {
  const auto& mounts = my.state().mounts;
  return std::any_of(mounts.begin(), mounts.end(),
                     [&](const auto& mount) { return mount.second.entry.image.record.toc == toc; });
}

/// Users who have asked for it meanwhile keep it, as they do any image.
result<bool> is_superfluous(const node_shell& my, const image_record& record) {
  if (my.state().snapshot_manifests->contains(record.manifest_digest)) return false;
  return my.tools->catalogue.is_held_for_containerd({record.reference, record.platform});
}

/// @returns whether nothing is left to do.
result<bool> forget_one(const node_shell& my, const catalogue_name& former) {
  auto& catalogue = my.tools->catalogue;
  const auto record = catalogue.find(former.reference, former.platform);
  if (!record && record.error().code != errc::corrupt) return tl::unexpected(record.error());
  if (!record || !*record) return true;
  const auto superfluous = is_superfluous(my, **record);
  if (!superfluous || !*superfluous) return superfluous.map([](bool) { return true; });
  if (is_mounted(my, (*record)->toc)) return false;
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
  const bool fewer = !state.snapshot_manifests || !news.manifests ||
                     news.manifests->size() < state.snapshot_manifests->size();
  if (news.manifests) state.snapshot_manifests = news.manifests;
  if (fewer) keep_store_limit(my);
}

result<image_filter> what_containerd_needs(const node_shell& my) {
  if (!serves_containerd(my)) return image_filter([](const image_record&) { return false; });
  const auto& manifests = my.state().snapshot_manifests;
  if (!manifests) return image_filter([](const image_record&) { return true; });
  const auto held = my.tools->catalogue.held_for_containerd();
  if (!held) return tl::unexpected(held.error());
  std::set<image_key> names;
  for (const auto& image : *held) names.emplace(image.reference, image.platform);
  return image_filter([names, manifests](const image_record& record) {
    return manifests->contains(record.manifest_digest) || names.contains({record.reference, record.platform});
  });
}

void note_replaced(const node_shell& my, const version_replaced& news) {
  my.state().has_unnamed = true;
  if (!news.former.reference.empty()) my.state().former.push_back(news.former);
}

// Not while containerd is being told of images: one of these may be meant.
result<void> forget_former(const node_shell& my) {
  auto& state = my.state();
  if (!state.snapshot_manifests || !state.registering.empty()) return {};
  std::vector<catalogue_name> later;
  for (const auto& former : state.former) {
    const auto done = forget_one(my, former);
    if (!done) return tl::unexpected(done.error());
    if (!*done) later.push_back(former);
  }
  state.former = std::move(later);
  return {};
}

}  // namespace firstlight::detail
