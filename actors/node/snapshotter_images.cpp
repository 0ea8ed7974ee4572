#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "actors/node/node_root.hpp"
#include "actors/node/snapshotter_shell.hpp"
#include "schemas/admin.hpp"
#include "schemas/image_config_json.hpp"
#include "storage/chain_ids.hpp"

namespace firstlight::detail {
namespace {

/// Images whose layers are remembered; containerd makes the layers of one image soon after each other.
constexpr std::size_t known_max = 64;
/// Asks the root on behalf of `client`. The reply is of one kind, or an error.
template <class Reply, class Then>
void ask_root_for(const snapshotter_shell& my, const progress_listener& client,
                  std::optional<std::chrono::milliseconds> limit, const admin_request& request, Then then) {
  my.self
      ->request(my.tools->root, limit ? caf::duration(*limit) : caf::duration(caf::infinite),
                admin_message{encode(request)}, client)
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

template <class Reply, class Then>
void ask_root(const snapshotter_shell& my, std::optional<std::chrono::milliseconds> limit,
              const admin_request& request, Then then) {
  ask_root_for<Reply>(my, my.state().listener, limit, request, then);
}

std::chrono::steady_clock::time_point end_of_tries(const snapshotter_shell& my) {
  return std::chrono::steady_clock::now() + my.tools->options.mount_wait;
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
  if (my.state().forgetting.contains((*record)->reference))
    return std::nullopt;  // the root knows what comes of it
  auto image = read_layers(my.tools->catalogue, **record);
  return image ? std::optional(std::move(*image)) : std::nullopt;
}

bool has_layer(const layered_image& image, const std::string& chain_id) {
  return std::any_of(image.chain.begin(), image.chain.end(),
                     [&](const digest& layer) { return layer.oci() == chain_id; });
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

/// Under which name the image is here, or can be had for certain.
std::string reference_now(const snapshotter_shell& my, const remote_layers& what) {
  if (is_inner(what)) return inner_reference(what);
  const auto& catalogue = my.tools->catalogue;
  const auto named = catalogue.find(what.reference, what.platform);
  if (named && *named && (*named)->manifest_digest == what.manifest) return what.reference;
  const auto other = catalogue.find_manifest(what.manifest);
  if (other && *other && (*other)->platform == what.platform) return (*other)->reference;
  return pinned_reference(what.reference, what.manifest).value_or(what.reference);
}

std::string image_of_mount(const std::string& mount) {
  return mount.substr(0, mount.rfind('-'));
}

bool is_mount_point(const std::filesystem::path& folder) {
  struct stat above {};
  struct stat there {};
  return lstat(folder.parent_path().c_str(), &above) == 0 && lstat(folder.c_str(), &there) == 0 &&
         above.st_dev != there.st_dev;
}

/// One for overlays that has neither failed nor been taken out of sight.
bool is_usable(const admin_mount& mount) {
  return mount.failure.empty() && !mount.lower.empty() && is_mount_point(mount.target);
}

void settle_mounting(const snapshotter_shell& my, const std::string& image,
                     const result<image_mount>& mount) {
  if (mount) my.state().mounted.insert_or_assign(image, *mount);
  const auto waiting = std::exchange(my.state().mounting.at(image), {});
  // The entry of what is mounted stays meanwhile: if one of them fails, the mount is not taken from those
  // behind it. Who asks again after a failure begins anew.
  if (!mount) my.state().mounting.erase(image);
  for (const auto& then : waiting) then(mount.map([](const image_mount& made) { return made.lower; }));
  if (mount && my.state().mounting.at(image).empty()) my.state().mounting.erase(image);
  unmount_unused(my);  // who wanted it may have gone meanwhile
}

/// Asked again while an earlier process's mount is being taken over.
struct mount_order {
  std::string image;
  remote_layers what;
  std::string group;  ///< of the start that asks for it
  std::chrono::steady_clock::time_point until;
};
void ask_for_mount(const snapshotter_shell& my, const mount_order& order);

/// One of its names is taken: by a mount that can be used, or by one that is ending.
void use_or_make_another(const snapshotter_shell& my, const mount_order& order) {
  ask_root<admin_listing>(my, std::nullopt, admin_list_request{}, [=](const result<admin_listing>& all) {
    if (!all) return settle_mounting(my, order.image, tl::unexpected(all.error()));
    for (const auto& mount : all->mounts)
      if (image_of_mount(mount.name) == order.image && is_usable(mount))
        return settle_mounting(my, order.image, image_mount{mount.name, mount.lower});
    my.state().later.push_back([=] { ask_for_mount(my, order); });
    my.self->delayed_send(my.self, my.tools->options.mount_retry, caf::tick_atom_v);
  });
}

void ask_for_mount(const snapshotter_shell& my, const mount_order& order) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(order.until - std::chrono::steady_clock::now());
  const auto name = order.image + "-" + std::to_string(++my.state().next_mount);
  const admin_mount_request request{.reference = reference_now(my, order.what),
                                    .platform = order.what.platform,
                                    .target = (my.tools->images_folder / name).string(),
                                    .name = name,
                                    .read_only = true,
                                    .group = order.group,
                                    .for_overlays = true};
  ask_root<admin_mounted>(
      my, std::max(left, std::chrono::milliseconds(1)), request, [=](const result<admin_mounted>& made) {
        if (made) return settle_mounting(my, order.image, image_mount{made->mount.name, made->mount.lower});
        const auto code = made.error().code;
        const bool taken = code == errc::busy || code == errc::already_exists;
        if (taken && std::chrono::steady_clock::now() < order.until) return use_or_make_another(my, order);
        settle_mounting(my, order.image, fail(made.error(), "the image of the snapshot"));
      });
}

/// The images that can be needed at any time.
std::set<std::string> needed_images(const snapshotter_shell& my) {
  std::set<std::string> names;
  my.index().each([&](const snapshot_record& record) {
    if (record.kind == snapshot_kind::committed) return;
    if (const auto remote = remote_below(my.index().parents(record))) names.insert(image_name(*remote));
  });
  return names;
}

/// The link is for containerd's own download now; what has come of the image is forgotten.
void give_up(const snapshotter_shell& my, const std::string& reference, const progress_listener& client) {
  caf::anon_send(my.tools->news_to, pull_given_up{reference, my.tools->platform, client.address()});
  forget_unused(my);
}

void unmount(const snapshotter_shell& my, const image_mount& mount) {
  ask_root<admin_done>(my, std::nullopt, admin_umount{mount.name, true}, [=](const result<admin_done>& done) {
    if (!done && done.error().code != errc::not_found)
      return spdlog::warn("image mount {} stays: {}", mount.name, done.error().detail);
    forget_unused(my);
  });
}

}  // namespace

std::string image_name(const remote_layers& what) {
  return "containerd-" + what.manifest.hex().substr(0, 32) +
         (is_inner(what) ? "." + std::to_string(what.layers) : "");
}

void find_image(const snapshotter_shell& my, const labelled_layer& layer, image_is state,
                std::function<void(const result<layered_image>&)> then) {
  const auto known = my.state().known.find(layer.reference);
  if (state == image_is::known && known != my.state().known.end() &&
      has_layer(known->second, layer.target))  // else the tag means another image by now
    return then(known->second);
  if (const auto here = image_here(my, layer)) return then(*here);
  if (state == image_is::downloaded)
    return then(fail(errc::unavailable, "containerd downloads its layers already"));
  auto& waiting = my.state().asked[layer.reference];
  waiting.push_back(std::move(then));
  if (waiting.size() > 1) return;
  const admin_pull request{.reference = layer.reference,
                           .platform = my.tools->platform,
                           .until = pull_until::mountable,
                           .for_containerd = true};
  // One that is given up must not be taken for the next one of this image: each has a client of its own.
  const auto client = make_client(my);
  const auto then_settle = [=](const result<admin_pulled>& pulled) {
    settle_asked(my, layer.reference, pulled.and_then([&](const auto& got) { return read_pulled(my, got); }));
    if (!pulled && pulled.error().code == errc::timed_out) give_up(my, layer.reference, client);
  };
  ask_root_for<admin_pulled>(my, client, my.tools->options.hub_wait, request, then_settle);
}

void with_mounted(const snapshotter_shell& my, const remote_layers& what, const std::string& group,
                  std::function<void(const result<std::string>&)> then) {
  if (auto& early = my.state().before_adoption) {  // an earlier process may have mounted it
    early->push_back([=] { with_mounted(my, what, group, then); });
    return;
  }
  const auto image = image_name(what);
  const auto mounted = my.state().mounted.find(image);
  if (mounted != my.state().mounted.end() && is_mount_point(my.tools->images_folder / mounted->second.name))
    return then(mounted->second.lower);
  auto& waiting = my.state().mounting[image];
  waiting.push_back(std::move(then));
  if (waiting.size() > 1) return;
  ask_for_mount(my, {image, what, group, end_of_tries(my)});
}

void tell_start(const snapshotter_shell& my, const snapshot_record& record,
                const std::function<void()>& then) {
  const auto what = remote_below(my.index().parents(record));
  const auto mounted = what ? my.state().mounted.find(image_name(*what)) : my.state().mounted.end();
  if (mounted == my.state().mounted.end()) return then();
  my.self
      ->request(my.tools->news_to, my.tools->options.record_wait,
                container_begins{mounted->second.name, start_group_of(record.labels)})
      .then([then](container_recorded) { then(); }, [then](const caf::error&) { then(); });
}

void unmount_unused(const snapshotter_shell& my) {
  // A container of an earlier process may run above any of those that it has mounted.
  const bool spares_adopted = !my.tools->records.unserved().empty();
  const auto needed = needed_images(my);
  std::erase_if(my.state().mounted, [&](const auto& mounted) {
    const bool spared = spares_adopted && mounted.second.adopted;
    const bool unused =
        !spared && !needed.contains(mounted.first) && !my.state().mounting.contains(mounted.first);
    if (unused) unmount(my, mounted.second);
    return unused;
  });
}

void adopt_mounts(const snapshotter_shell& my) {
  ask_root<admin_listing>(my, std::nullopt, admin_list_request{}, [=](const result<admin_listing>& all) {
    if (!all)
      spdlog::warn("image mounts of an earlier process: {}", to_string(all.error()));
    else
      for (const auto& mount : all->mounts)
        if (is_usable(mount) && mount.name.starts_with("containerd-"))
          my.state().mounted.emplace(image_of_mount(mount.name), image_mount{mount.name, mount.lower, true});
    for (const auto& go_on :
         std::exchange(my.state().before_adoption, {}).value_or(std::vector<std::function<void()>>{}))
      go_on();
    if (all) unmount_unused(my);
  });
}

}  // namespace firstlight::detail
