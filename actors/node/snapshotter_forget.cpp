#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/node/node_root.hpp"
#include "actors/node/snapshotter_shell.hpp"

namespace firstlight::detail {
namespace {

/// An image that containerd asks for just now has no snapshots before the hub has answered.
bool is_needed(const snapshotter_shell& my, const snapshot_needs& needs, const catalogue_name& image) {
  if (my.state().asked.contains(image.reference) || needs.references.contains(image.reference)) return true;
  const auto record = my.tools->catalogue.find(image.reference, image.platform);
  return !record || (*record && needs.manifests.contains((*record)->manifest_digest));
}

void try_all(const snapshotter_shell& my);

/// Tries again after a pause: an image is mounted, or others are arriving.
void try_later(const snapshotter_shell& my) {
  auto& tries = my.state().tries;
  if (std::exchange(tries.waiting, true)) return;
  my.state().later.push_back([my, occasion = tries.occasion] {
    if (my.state().tries.occasion != occasion) return;
    my.state().tries.waiting = false;
    try_all(my);
  });
  my.self->delayed_send(my.self, tries.pause, caf::tick_atom_v);
  tries.pause = std::min(2 * tries.pause, my.tools->options.forget_retry_max);
}

/// Who else has asked for the image meanwhile keeps it; so does the root while it is mounted. What was busy
/// before the latest occasion may be free by now.
void try_one(const snapshotter_shell& my, const catalogue_name& image) {
  auto& forgetting = my.state().forgetting;
  if (!forgetting.insert(image.reference).second) return;
  const auto occasion = my.state().tries.occasion;
  my.state().known.erase(image.reference);  // from here on it may be gone
  my.self->request(my.tools->news_to, caf::infinite, forget_image{image.reference, image.platform})
      .then(
          [=](const image_forgotten& gone) {
            my.state().forgetting.erase(image.reference);
            spdlog::info("{} has no snapshot left: {} bytes are free", image.reference, gone.bytes);
          },
          [=](const caf::error& problem) {
            my.state().forgetting.erase(image.reference);
            const auto why = from_caf(problem);
            if (why.code == errc::busy)
              return occasion == my.state().tries.occasion ? try_later(my) : try_all(my);
            if (why.code != errc::not_found && why.code != errc::failed_precondition)
              spdlog::warn("{} has no snapshot left, but stays: {}", image.reference, to_string(why));
          });
}

void try_all(const snapshotter_shell& my) {
  const auto held = my.tools->catalogue.held_for_containerd();
  if (!held) return spdlog::warn("images without snapshots stay: {}", to_string(held.error()));
  if (my.tools->records.has_undecodable()) return;  // nobody can say what those need
  const auto needs = needs_of(my);
  for (const auto& image : *held)
    if (!is_needed(my, needs, image)) try_one(my, image);
}

}  // namespace

snapshot_needs needs_of(const snapshotter_shell& my) {
  auto needs = snapshot_needs_of(my.index());
  for (const auto& [name, record] : my.tools->records.refused())
    if (record.remote) needs.add(*record.remote);
  return needs;
}

void show_from_others(const snapshotter_shell& my) {
  const auto& early = my.state().before_adoption;
  if (!my.tools->records.unserved().empty() || (early && !early->empty())) return;
  const auto being_mounted = [&](const remote_layers& what) {
    return my.state().mounting.contains(image_name(what));
  };
  for (const auto& record : shown_by_others(my.index(), being_mounted))
    if (const auto kept = my.tools->records.apply(snapshot_change{record}); !kept)
      return spdlog::warn("snapshot {} still names an image that goes: {}", record.name,
                          to_string(kept.error()));
}

void forget_unused(const snapshotter_shell& my) {
  auto& tries = my.state().tries;
  tries = forget_tries{.occasion = tries.occasion + 1, .pause = my.tools->options.mount_retry};
  try_all(my);
}

}  // namespace firstlight::detail
