#include "actors/node/node_shell.hpp"
#include "actors/operations.hpp"
#include "storage/evict_images.hpp"

namespace firstlight::detail {
namespace {

result<admin_evicted> evict(const node_shell& my, const admin_evict& asked) {
  if (something_arrives(my.state()))
    return fail(errc::busy, "images are arriving; try again when they are there");
  std::optional<image_key> only;
  if (!asked.reference.empty()) {
    auto key = canonical(*my.tools, asked.reference, asked.platform);
    if (!key) return tl::unexpected(key.error());
    const auto record = my.tools->catalogue.find(key->first, key->second);
    if (!record) return tl::unexpected(record.error());
    if (!*record) return fail(errc::not_found, key->first + " is not here; 'firstlight ls' shows what is");
    only = *key;
  }
  auto request = what_mounts_need(my);
  request.bytes_max = 0;
  request.needed = [only, mounted = request.needed](const image_record& record) {
    const bool another = only && (record.reference != only->first || record.platform != only->second);
    return another || mounted(record);
  };
  const auto evicted = evict_images(my.tools->catalogue, my.tools->contents, request);
  if (!evicted) return tl::unexpected(evicted.error());
  if (only && evicted->images.empty()) return fail(errc::busy, only->first + " is mounted; umount it first");
  admin_evicted said{{}, evicted->bytes_removed};
  for (const auto& image : evicted->images) {
    said.references.push_back(image.reference);
    note_event(my.state().events, "evicted", image.reference);
  }
  return said;
}

}  // namespace

void evict_for(const node_shell& my, const admin_evict& asked, admin_promise reply) {
  const auto done = evict(my, asked);
  if (done)
    deliver(reply, *done);
  else
    refuse(reply, done.error());
}

void drain(const node_shell& my, const admin_drain& asked, admin_promise reply) {
  if (std::exchange(my.state().draining, asked.on) != asked.on)
    note_event(my.state().events, asked.on ? "draining" : "not draining", my.tools->name);
  deliver(reply, admin_done{});
}

result<void> may_begin(const node_shell& my) {
  if (!my.state().draining) return {};
  return fail(errc::unavailable, "this node drains and takes nothing new; 'firstlight drain off' ends that");
}

}  // namespace firstlight::detail
