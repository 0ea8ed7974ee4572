#include "actors/node/node_shell.hpp"
#include "storage/evict_images.hpp"

namespace firstlight::detail {
namespace {

result<void> check_nothing_arrives(const node_shell& my) {
  if (!something_arrives(my.state())) return {};
  return fail(errc::busy, "images are arriving; try again when they are there");
}

tl::unexpected<error> refuse_mounted(const image_key& key) {
  return fail(errc::busy, key.first + " is mounted; umount it first");
}

/// Evicts that image, or all.
result<admin_evicted> evict(const node_shell& my, const std::optional<image_key>& only) {
  if (auto calm = check_nothing_arrives(my); !calm) return tl::unexpected(calm.error());
  std::optional<image_record> catalogue_record;
  if (only) {
    auto record = my.tools->catalogue.find(only->first, only->second);
    if (!record) return tl::unexpected(record.error());
    if (!*record) return fail(errc::not_found, only->first + " is not here; 'firstlight ls' shows what is");
    catalogue_record = std::move(**record);
  }
  const auto stays = [only, mounted = mounted_versions(my)](const image_record& record) {
    return stays_when_evicted(mounted, only, in_store(record));
  };
  if (only && stays(*catalogue_record)) return refuse_mounted(*only);
  end_resting(my, [&](const image_key& key) {
    const auto record = my.tools->catalogue.find(key.first, key.second);
    return record && *record && !stays(**record);
  });
  const eviction_request request{.bytes_max = 0, .needed = stays, .in_use = images_in_use(my)};
  const auto evicted = evict_images(my.tools->catalogue, my.tools->contents, request);
  if (!evicted) return tl::unexpected(evicted.error());
  if (only && evicted->images.empty()) return refuse_mounted(*only);
  admin_evicted said{{}, evicted->bytes_removed};
  for (const auto& image : evicted->images) {
    said.references.push_back(image.reference);
    my.state().events.note("evicted", image.reference);
  }
  return said;
}

bool is_damaged(const node_shell& my, const image_key& key) {
  const auto record = my.tools->catalogue.find(key.first, key.second);
  return !record && record.error().code == errc::corrupt;
}

/// A record that cannot be read goes alone: which contents it needs is not known, and the next pull uses
/// them.
result<admin_evicted> evict_damaged(const node_shell& my, const image_key& key) {
  if (auto calm = check_nothing_arrives(my); !calm) return tl::unexpected(calm.error());
  if (is_mounted(my, key)) return refuse_mounted(key);
  end_resting(my, [&](const image_key& one) { return one == key; });
  if (auto gone = my.tools->catalogue.remove(key.first, key.second); !gone)
    return tl::unexpected(gone.error());
  my.state().events.note("evicted", key.first + ": its record could not be read");
  return admin_evicted{{key.first + " (its record could not be read; its contents stay)"}, 0};
}

}  // namespace

result<image_forgotten> forget_for_containerd(const node_shell& my, const image_key& key) {
  auto& catalogue = my.tools->catalogue;
  const catalogue_name image{key.first, key.second};
  const auto held = catalogue.is_held_for_containerd(image);
  if (!held) return tl::unexpected(held.error());
  if (!*held) return fail(errc::failed_precondition, key.first + " stays: users have asked for it too");
  if (my.state().registering.contains(key))
    return fail(errc::busy, "containerd is being told of " + key.first);
  const auto gone = evict(my, key);
  if (gone) return image_forgotten{gone->bytes};
  const bool never_came = gone.error().code == errc::not_found;
  if (auto forgotten = never_came ? catalogue.hold_for_users(image) : result<void>{}; !forgotten)
    return tl::unexpected(forgotten.error());
  return tl::unexpected(gone.error());
}

void evict_for(const node_shell& my, const admin_evict& asked, admin_promise reply) {
  const auto only = asked.reference.empty()
                        ? result<std::optional<image_key>>(std::nullopt)
                        : canonical(*my.tools, asked.reference, asked.platform).map([](image_key&& key) {
                            return std::optional(std::move(key));
                          });
  const auto done = only.and_then([&](const auto& key) {
    return key && is_damaged(my, *key) ? evict_damaged(my, *key) : evict(my, key);
  });
  if (done)
    deliver(reply, *done);
  else
    refuse(reply, done.error());
}

void drain(const node_shell& my, const admin_drain& asked, admin_promise reply) {
  if (std::exchange(my.state().draining, asked.on) != asked.on)
    my.state().events.note(asked.on ? "draining" : "not draining", my.tools->name);
  deliver(reply, admin_done{});
}

result<void> may_begin(const node_shell& my) {
  if (!my.state().draining) return {};
  return fail(errc::unavailable, "this node drains and takes nothing new; 'firstlight drain off' ends that");
}

}  // namespace firstlight::detail
