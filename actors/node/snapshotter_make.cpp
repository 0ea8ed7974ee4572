#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/node/snapshotter_shell.hpp"

namespace firstlight::detail {
namespace {

/// Of snapshots into which a layer is unpacked: no container starts there.
const std::string unpack_label = "containerd.io/snapshot.ref";
constexpr std::string_view unpack_prefix = "extract-";

/// The folder whose attributes a new snapshot's root shows; empty: it has no parents.
std::filesystem::path root_below(const snapshotter_shell& my, const std::vector<snapshot_record>& parents,
                                 const std::string& remote_lower) {
  if (parents.empty()) return {};
  if (!parents.front().remote) return snapshot_files(my.tools->folders.folder().string(), parents.front().id);
  return remote_lower.substr(0, remote_lower.find("::"));
}

/// Runs `then` with the lower layers of what is remote below this snapshot; empty text if nothing is.
void with_lower(const snapshotter_shell& my, const snapshot_record& record,
                std::function<void(const result<std::string>&)> then) {
  const auto remote = remote_below(my.index().parents(record));
  if (!remote) return then(std::string{});
  with_mounted(my, *remote, start_group_of(record.labels), std::move(then));
}

/// What containerd could not mount is refused: mount(2) says no more than "invalid argument".
result<mount_spec> mount_of(const snapshotter_shell& my, const snapshot_record& record,
                            const std::string& lower) {
  const auto parents = my.index().parents(record);
  auto made = snapshot_mount(record, parents, {my.tools->folders.folder().string(), lower});
  const auto bytes = mount_option_bytes(made);
  const auto most = my.tools->options.snapshots.mount_options_bytes_max;
  if (bytes <= most) return made;
  return fail(errc::limit_exceeded, "mount_options_bytes_max: the " + std::to_string(parents.size()) +
                                        " layers below snapshot " + record.name + " take " +
                                        std::to_string(bytes) + " bytes of mount options, at most " +
                                        std::to_string(most) + " can be; build the image with fewer layers");
}

void deliver_mounts(const snapshotter_shell& my, const snapshot_record& record, const std::string& lower,
                    mounts_promise reply) {
  deliver(reply, mount_of(my, record, lower).map([](const mount_spec& made) {
    return snapshot_mount_list{{made}};
  }));
}

/// Its files first: what is recorded is there.
result<snapshot_record> make_files_and_record(const snapshotter_shell& my, const make_snapshot& asked,
                                              const std::string& lower) {
  const auto change =
      my.index().make(asked.kind, {asked.name, asked.parent, asked.labels}, my.tools->now_ns());
  if (!change) return tl::unexpected(change.error());
  if (const auto mounted = mount_of(my, change->put, lower); !mounted) return tl::unexpected(mounted.error());
  const auto root = root_below(my, my.index().parents(change->put), lower);
  if (auto made = my.tools->folders.make(change->put.id, root); !made) return tl::unexpected(made.error());
  auto recorded = my.tools->records.apply(change);
  if (!recorded)
    if (auto gone = my.tools->folders.remove(change->put.id); !gone)
      spdlog::error("files of a snapshot stay behind: {}", to_string(gone.error()));
  return recorded;
}

/// Containerd unpacks a layer in an active snapshot as well: its puller labels it, its own
/// `rootfs.ApplyLayer` names it NAMESPACE/NUMBER/extract-TIME-RANDOM CHAIN.
bool starts_a_container(const make_snapshot& asked) {
  const auto last = std::string_view(asked.name).substr(asked.name.rfind('/') + 1);
  return asked.kind == snapshot_kind::active && !asked.labels.contains(unpack_label) &&
         !last.starts_with(unpack_prefix);
}

void make_ordinary(const snapshotter_shell& my, const make_snapshot& asked, mounts_promise reply) {
  const auto allowed =
      my.index().make(asked.kind, {asked.name, asked.parent, asked.labels}, my.tools->now_ns());
  if (!allowed) return refuse(reply, allowed.error());
  with_lower(my, allowed->put, [=](const result<std::string>& lower) {
    if (!lower) return refuse(reply, lower.error());
    const auto made = make_files_and_record(my, asked, *lower);
    if (!made) {
      unmount_unused(my);
      return refuse(reply, made.error());
    }
    tell_news(my);
    const auto deliver = [my, record = *made, lower = *lower, reply] {
      deliver_mounts(my, record, lower, reply);
    };
    return starts_a_container(asked) ? tell_start(my, *made, deliver) : deliver();
  });
}

/// Whether containerd downloads the layer below too, and has not begun anew since.
bool goes_on(const snapshotter_shell& my, const make_snapshot& asked, const labelled_layer& layer) {
  const auto last = my.state().fallen_back.last_layer(layer.reference, std::chrono::steady_clock::now(),
                                                      my.tools->options.hub_again);
  const auto parent = my.index().find(asked.parent);
  return last && parent && is_called(*parent, *last);
}

/// Containerd downloads the layer. Each download of an image is counted and told once, whichever layer is the
/// first.
void fall_back(const snapshotter_shell& my, const make_snapshot& asked, const labelled_layer& layer,
               const std::string& why, mounts_promise reply) {
  auto& news = my.state().news;
  const bool told = goes_on(my, asked, layer);
  my.state().fallen_back.note(layer.reference, layer.target, std::chrono::steady_clock::now());
  if (!told) {
    ++news.fallbacks;
    news.last_fallback = layer.reference + ": " + why;
    spdlog::warn("containerd downloads {} itself: {}", layer.reference, why);
    tell_news(my);
  }
  make_ordinary(my, asked, reply);
}

/// Whether the chain below is that of the image's layers up to `layer`, without it, whoever has made them.
bool fits(const snapshotter_shell& my, const make_snapshot& asked, const layered_image& image,
          std::size_t layer) {
  if (layer == 0) return asked.parent.empty();
  const auto parent = my.index().find(asked.parent);
  return parent && is_called(*parent, image.chain[layer - 1].oci());
}

/// Containerd then looks for a snapshot of this target above the parent that it named.
void already_there(const snapshotter_shell& my, const labelled_layer& layer, mounts_promise reply) {
  my.state().fallen_back.forget(layer.reference);
  refuse(reply, {errc::already_exists, "snapshot " + layer.target + " exists already: nothing to download"});
}

/// A chain that containerd has begun to unpack is not worth a wait for the hub at each layer.
image_is state_of_image(const snapshotter_shell& my, const make_snapshot& asked,
                        const labelled_layer& layer) {
  const auto parent = my.index().find(asked.parent);
  if (!parent) return image_is::new_here;
  if (parent->remote) return image_is::known;
  const auto last = my.state().fallen_back.last_layer(layer.reference, std::chrono::steady_clock::now(),
                                                      my.tools->options.hub_again);
  return last ? image_is::downloaded : image_is::new_here;
}

void make_remote(const snapshotter_shell& my, const make_snapshot& asked, const labelled_layer& layer,
                 const result<layered_image>& image, mounts_promise reply) {
  if (!image) return fall_back(my, asked, layer, to_string(image.error()), reply);
  const auto& chain = image->chain;
  const auto at =
      std::find_if(chain.begin(), chain.end(), [&](const digest& id) { return id.oci() == layer.target; });
  const auto below = static_cast<std::size_t>(at - chain.begin());
  if (at == chain.end() || !fits(my, asked, *image, below))
    return fall_back(my, asked, layer, layer.target + " is none of the layers that the hub has", reply);
  const remote_layers what{image->reference, image->manifest, my.tools->platform,
                           static_cast<std::uint32_t>(below + 1), static_cast<std::uint32_t>(chain.size())};
  const auto made = my.tools->records.apply(
      my.index().make_remote({layer.target, asked.parent, asked.labels}, what, my.tools->now_ns()));
  const bool taken = !made && made.error().code == errc::already_exists;
  if (taken && !my.index().find_remote(layer.target, asked.parent))
    return fall_back(my, asked, layer, layer.target + " is the name of another snapshot", reply);
  if (!made && !taken) return refuse(reply, made.error());
  if (made) {
    ++my.state().news.prepared;
    ++my.state().news.remote;
    my.state().manifests.reset();
    tell_news(my);
  }
  already_there(my, layer, reply);
}

}  // namespace

void make(const snapshotter_shell& my, const make_snapshot& asked, mounts_promise reply) {
  const auto layer = labelled_layer_of(asked.labels);
  if (asked.kind != snapshot_kind::active || !layer) return make_ordinary(my, asked, reply);
  if (my.index().find_remote(layer->target, asked.parent)) return already_there(my, *layer, reply);
  const auto allowed =
      my.index().make(asked.kind, {asked.name, asked.parent, asked.labels}, my.tools->now_ns());
  if (!allowed) return refuse(reply, allowed.error());
  find_image(my, *layer, state_of_image(my, asked, *layer),
             [=, layer = *layer](const result<layered_image>& image) {
               make_remote(my, asked, layer, image, reply);
             });
}

void mount(const snapshotter_shell& my, const mount_snapshot& asked, mounts_promise reply) {
  const auto record = my.index().find_mountable(asked.name);
  if (!record) return refuse(reply, record.error());
  with_lower(my, *record, [=, name = asked.name](const result<std::string>& lower) {
    if (!lower) return refuse(reply, lower.error());
    const auto still = my.index().find_mountable(name);
    if (!still) return refuse(reply, still.error());
    deliver_mounts(my, *still, *lower, reply);
  });
}

}  // namespace firstlight::detail
