#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "actors/node/snapshotter_shell.hpp"
#include "schemas/admin.hpp"
#include "schemas/image_config_json.hpp"
#include "storage/chain_ids.hpp"

namespace firstlight::detail {
namespace {

/// Images whose layers are remembered; containerd makes the layers of one image soon after each other.
constexpr std::size_t known_max = 64;
/// Asks the root. The reply is of one kind, or an error.
template <class Reply, class Then>
void ask_root(const snapshotter_shell& my, std::optional<std::chrono::milliseconds> limit,
              const admin_request& request, Then then) {
  my.self
      ->request(my.tools->root, limit ? caf::duration(*limit) : caf::duration(caf::infinite),
                admin_message{encode(request)}, my.state().listener)
      .then(
          [then](const admin_message& message) {
            const auto reply = decode_admin_reply(message.bytes.bytes);
            if (!reply) return then(result<Reply>(tl::unexpected(reply.error())));
            const auto* wanted = std::get_if<Reply>(&*reply);
            then(wanted != nullptr ? result<Reply>(*wanted)
                                   : result<Reply>(fail(errc::protocol, "the node gave another answer")));
          },
          [then](const caf::error& problem) { then(result<Reply>(tl::unexpected(from_caf(problem)))); });
}

result<layered_image> read_layers(const image_catalogue& catalogue, const image_record& record) {
  const auto toc = catalogue.tree(record.toc);
  if (!toc) return tl::unexpected(toc.error());
  const auto config = parse_image_config((*toc)->config_json());
  if (!config) return fail(config.error(), "the configuration of " + record.reference);
  return layered_image{record.reference, record.manifest_digest, chain_ids(config->diff_ids)};
}

result<layered_image> read_pulled(const snapshotter_shell& my, const admin_pulled& pulled) {
  const auto record = my.tools->catalogue.find(pulled.image.reference, pulled.image.platform);
  if (!record) return tl::unexpected(record.error());
  if (!*record) return fail(errc::not_found, pulled.image.reference + " is gone");
  return read_layers(my.tools->catalogue, **record);
}

/// An image of that manifest that is here, or on its way: who mounts it sees to the rest.
std::optional<layered_image> image_here(const snapshotter_shell& my, const labelled_layer& layer) {
  if (!layer.manifest) return std::nullopt;
  const auto record = my.tools->catalogue.find_manifest(*layer.manifest);
  if (!record || !*record || (*record)->platform != my.tools->platform) return std::nullopt;
  auto image = read_layers(my.tools->catalogue, **record);
  return image ? std::optional(std::move(*image)) : std::nullopt;
}

void settle_asked(const snapshotter_shell& my, const std::string& reference,
                  const result<layered_image>& image) {
  if (image && my.state().known.size() >= known_max) my.state().known.clear();
  if (image) my.state().known.insert_or_assign(reference, *image);
  const auto asked = my.state().asked.find(reference);
  const auto waiting = std::move(asked->second);
  my.state().asked.erase(asked);
  for (const auto& then : waiting) then(image);
}

/// Under which name the manifest is here, or can be had for certain.
std::string reference_now(const snapshotter_shell& my, const remote_layers& what) {
  const auto& catalogue = my.tools->catalogue;
  const auto named = catalogue.find(what.reference, what.platform);
  if (named && *named && (*named)->manifest_digest == what.manifest) return what.reference;
  const auto other = catalogue.find_manifest(what.manifest);
  if (other && *other && (*other)->platform == what.platform) return (*other)->reference;
  return pinned_reference(what.reference, what.manifest).value_or(what.reference);
}

std::string mount_name(const remote_layers& what) {
  return "containerd-" + what.manifest.hex().substr(0, 32);
}

bool is_mount_point(const std::filesystem::path& folder) {
  struct stat above {};
  struct stat there {};
  return lstat(folder.parent_path().c_str(), &above) == 0 && lstat(folder.c_str(), &there) == 0 &&
         above.st_dev != there.st_dev;
}

void settle_mounting(const snapshotter_shell& my, const std::string& name, const result<std::string>& lower) {
  if (lower) my.state().mounted.insert_or_assign(name, *lower);
  const auto making = my.state().mounting.find(name);
  const auto waiting = std::move(making->second);
  my.state().mounting.erase(making);
  for (const auto& then : waiting) then(lower);
  unmount_unused(my);  // who wanted it may have gone meanwhile
}

void find_mount(const snapshotter_shell& my, const std::string& name) {
  ask_root<admin_listing>(my, std::nullopt, admin_list_request{}, [=](const result<admin_listing>& all) {
    if (!all) return settle_mounting(my, name, tl::unexpected(all.error()));
    for (const auto& mount : all->mounts)
      if (mount.name == name) return settle_mounting(my, name, mount.lower);
    settle_mounting(my, name, fail(errc::unavailable, "mount " + name + " has just gone; try again"));
  });
}

/// Asked again while it is being made already, or taken over from an earlier process.
struct mount_order {
  std::string name;
  remote_layers what;
  std::chrono::steady_clock::time_point until;
};

void ask_for_mount(const snapshotter_shell& my, const mount_order& order) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(order.until - std::chrono::steady_clock::now());
  const admin_mount_request request{.reference = reference_now(my, order.what),
                                    .platform = order.what.platform,
                                    .target = (my.tools->images_folder / order.name).string(),
                                    .name = order.name,
                                    .read_only = true,
                                    .for_overlays = true};
  ask_root<admin_mounted>(my, std::max(left, std::chrono::milliseconds(1)), request,
                          [=, name = order.name](const result<admin_mounted>& made) {
                            if (made) return settle_mounting(my, name, made->mount.lower);
                            const auto code = made.error().code;
                            if (code == errc::already_exists) return find_mount(my, name);
                            if (code != errc::busy || order.until <= std::chrono::steady_clock::now())
                              return settle_mounting(my, name,
                                                     fail(made.error(), "the image of the snapshot"));
                            my.state().later.push_back([=] { ask_for_mount(my, order); });
                            my.self->delayed_send(my.self, my.tools->options.mount_retry, caf::tick_atom_v);
                          });
}

/// The mounts that can be needed at any time.
std::set<std::string> needed_mounts(const snapshotter_shell& my) {
  std::set<std::string> names;
  my.index().each([&](const snapshot_record& record) {
    if (record.kind == snapshot_kind::committed) return;
    if (const auto remote = remote_below(my.index().parents(record))) names.insert(mount_name(*remote));
  });
  return names;
}

void unmount(const snapshotter_shell& my, const std::string& name) {
  ask_root<admin_done>(my, std::nullopt, admin_umount{name, true}, [name](const result<admin_done>& done) {
    if (!done && done.error().code != errc::not_found)
      spdlog::warn("image mount {} stays: {}", name, done.error().detail);
  });
}

}  // namespace

std::optional<remote_layers> remote_below(const std::vector<snapshot_record>& parents) {
  const auto found = std::find_if(parents.begin(), parents.end(),
                                  [](const auto& parent) { return parent.remote.has_value(); });
  return found == parents.end() ? std::nullopt : found->remote;
}

void find_image(const snapshotter_shell& my, const labelled_layer& layer, image_is state,
                std::function<void(const result<layered_image>&)> then) {
  const auto known = my.state().known.find(layer.reference);
  if (state == image_is::known && known != my.state().known.end()) return then(known->second);
  if (const auto here = image_here(my, layer)) return then(*here);
  auto& waiting = my.state().asked[layer.reference];
  waiting.push_back(std::move(then));
  if (waiting.size() > 1) return;
  const admin_pull request{
      .reference = layer.reference, .platform = my.tools->platform, .until = pull_until::mountable};
  ask_root<admin_pulled>(my, my.tools->options.hub_wait, request, [=](const result<admin_pulled>& pulled) {
    settle_asked(my, layer.reference, pulled.and_then([&](const auto& got) { return read_pulled(my, got); }));
  });
}

void with_mounted(const snapshotter_shell& my, const remote_layers& what,
                  std::function<void(const result<std::string>&)> then) {
  if (what.layers != what.of)
    return then(fail(errc::unsupported, "layer " + std::to_string(what.layers) + " of " + what.reference +
                                            " is not its last; only the whole image can be mounted"));
  const auto name = mount_name(what);
  const auto mounted = my.state().mounted.find(name);
  if (mounted != my.state().mounted.end() && is_mount_point(my.tools->images_folder / name))
    return then(mounted->second);
  auto& waiting = my.state().mounting[name];
  waiting.push_back(std::move(then));
  if (waiting.size() > 1) return;
  ask_for_mount(my, {name, what, std::chrono::steady_clock::now() + my.tools->options.mount_wait});
}

void unmount_unused(const snapshotter_shell& my) {
  const auto needed = needed_mounts(my);
  auto& mounted = my.state().mounted;
  for (auto at = mounted.begin(); at != mounted.end();) {
    const auto name = at->first;
    if (needed.contains(name) || my.state().mounting.contains(name)) {
      ++at;
      continue;
    }
    at = mounted.erase(at);
    unmount(my, name);
  }
}

void forget_unused(const snapshotter_shell& my, const remote_layers& removed) {
  bool used = false;
  my.index().each([&](const snapshot_record& record) {
    used = used || (record.remote && record.remote->manifest == removed.manifest);
  });
  if (used) return;
  ask_root<admin_evicted>(
      my, std::nullopt, admin_evict{removed.reference, removed.platform},
      [reference = removed.reference](const result<admin_evicted>& done) {
        if (done)
          spdlog::info("{} has no snapshot left: {} bytes are free", reference, done->bytes);
        else if (done.error().code != errc::not_found)
          spdlog::info("{} has no snapshot left, but stays: {}", reference, done.error().detail);
      });
}

void adopt_mounts(const snapshotter_shell& my) {
  ask_root<admin_listing>(my, std::nullopt, admin_list_request{}, [=](const result<admin_listing>& all) {
    if (!all) return spdlog::warn("image mounts of an earlier process: {}", to_string(all.error()));
    for (const auto& mount : all->mounts)
      if (!mount.lower.empty()) my.state().mounted.emplace(mount.name, mount.lower);
    unmount_unused(my);
  });
}

}  // namespace firstlight::detail
