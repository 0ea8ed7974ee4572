#include <spdlog/spdlog.h>

#include "actors/node/node_shell.hpp"
#include "model/mount_name.hpp"
#include "storage/posix_file.hpp"

namespace firstlight::detail {
namespace {

/// Marks the writable layers of mounts in the layer registry; the value is the mount's name.
constexpr std::string_view named_label = "firstlight.mount";
constexpr std::string_view unnamed_label = "firstlight.unnamed-mount";

/// A mount that is being made.
struct order {
  admin_mount_request asked;
  image_key key;
  std::string name;
  std::filesystem::path target;
  admin_promise reply;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  mountable_image image{};
  image_receiver source{};
  mount_record record{};
  std::shared_ptr<access_recorder> recorder{};
  receiver_report delivery{};  ///< while it was being made
  bool made_layer = false;     ///< its writable layer is new
  bool over = false;           ///< answered: given up or mounted
  bool cancelled = false;      ///< to be taken down as soon as it is mounted
  std::vector<admin_promise> cancels{};
};
using order_ptr = std::shared_ptr<order>;

result<void> check_free(const node_shell& my, const std::string& name, const std::filesystem::path& target) {
  const auto& state = my.state();
  for (const auto& [other, mount] : state.mounts) {
    if (other == name)
      return fail(errc::already_exists, "a mount named " + name + " exists; choose another --name");
    if (mount.entry.target == target)
      return fail(errc::already_exists,
                  target.string() + " is the target of mount " + other + "; umount it first");
  }
  for (const auto& [other, making] : state.mounting)
    if (other == name || making.target == target)
      return fail(errc::busy, "mount " + other + " is being made there");
  if (state.mounts.size() + state.mounting.size() >= my.tools->limits.mounts_max)
    return fail(errc::limit_exceeded, "mounts_max: too many mounts; umount some");
  return {};
}

/// Mounts that were taken over have numbers of an earlier process.
std::string free_name(const node_shell& my, const image_reference& reference) {
  for (;;) {
    auto name = make_mount_name(reference, ++my.state().next_name);
    if (!my.state().mounts.contains(name) && !my.state().mounting.contains(name)) return name;
  }
}

result<order_ptr> place_order(const node_shell& my, const admin_mount_request& asked, admin_promise reply) {
  auto key = canonical(*my.tools, asked.reference, asked.platform);
  if (!key) return tl::unexpected(key.error());
  const auto mode = parse_mount_mode(asked.mode.empty() ? my.tools->mode : asked.mode);
  if (!mode) return tl::unexpected(mode.error());
  const auto reference = parse_image_reference(key->first);
  auto name = asked.name.empty() ? free_name(my, *reference) : check_mount_name(asked.name);
  if (!name) return tl::unexpected(name.error());
  if (!asked.target.empty() && asked.target.front() != '/')
    return fail(errc::invalid_argument, "the target of a mount is an absolute path, not " + asked.target);
  const auto target = as_mounted(asked.target.empty() ? my.tools->run_folder / "mounts" / *name
                                                      : std::filesystem::path(asked.target));
  if (auto is_free = check_free(my, *name, target); !is_free) return tl::unexpected(is_free.error());
  my.state().mounting[*name] = {target};
  auto made = std::make_shared<order>(order{asked, *key, *name, target, reply});
  made->record.target = target.string();
  made->record.named = !asked.name.empty();
  made->record.mode = *mode;
  made->record.for_overlays = asked.for_overlays;
  return made;
}

// ---- folders -----------------------------------------------------------------------------------

/// A named mount finds what was written under its name before.
result<layer_record> writable_layer_for(const node_shell& my, order& what) {
  const auto label = layer_label{std::string(what.record.named ? named_label : unnamed_label), what.name};
  auto& layers = my.tools->layers;
  for (const auto& layer : layers.list()) {
    const bool ours = std::find(layer.labels.begin(), layer.labels.end(), label) != layer.labels.end();
    if (what.record.named && ours) return layers.acquire(layer.id, unix_now());
  }
  auto layer = layers.add({.place = indexed_place{"rw"},
                           .access = layer_access::writable,
                           .progress = layer_progress::complete,
                           .labels = {label},
                           .now = unix_now()});
  if (!layer) return layer;
  what.made_layer = true;
  return layers.acquire(layer->id, unix_now());
}

/// What a mount needs beside its image; made while the image is on its way.
result<void> make_folders_for(const node_shell& my, order& what) {
  std::error_code problem;
  what.record.made_target = !std::filesystem::exists(what.target, problem);
  if (auto made = make_folders(what.target); !made) return fail(made.error(), "the target of the mount");
  if (what.asked.read_only) return {};
  auto layer = writable_layer_for(my, what);
  if (!layer) return tl::unexpected(layer.error());
  what.record.writable = {{layer->id, layer->path}};
  const auto folders = folders_of(*what.record.writable);
  return make_folders(folders.upper).and_then([&] { return make_folders(folders.work); });
}

/// What was written above one version of an image means nothing above another.
result<void> bind_layer(const node_shell& my, const order& what) {
  if (!what.record.writable) return {};
  auto& layers = my.tools->layers;
  const auto layer = layers.find(what.record.writable->layer);
  if (!layer) return fail(errc::not_found, "the writable layer of " + what.name + " is gone");
  const auto& toc = what.image.record.toc;
  if (layer->toc == toc) return {};
  if (layer->toc)
    return fail(errc::already_exists,
                "what was written under the name " + what.name +
                    " belongs to another version of the image; choose another --name or "
                    "remove it with 'firstlight layer rm " +
                    layer->name + "'");
  const auto bound = layers.bind(layer->id, toc);
  return bound ? result<void>() : tl::unexpected(bound.error());
}

// ---- the steps of a mount ----------------------------------------------------------------------

void give_up(const node_shell& my, const order_ptr& what, const error& why) {
  if (std::exchange(what->over, true)) return;
  my.state().mounting.erase(what->name);
  auto made = what->record;
  made.named = made.named && !what->made_layer;  // nothing was ever written there
  clean_after(my, made);
  refuse(what->reply, why);
  for (auto reply : what->cancels) deliver(reply, admin_done{});
  quit_when_alone(my);
}

/// Asks nobody: somebody waits for the mount, and nothing has been read on it.
void answer(const node_shell& my, const order_ptr& what, const mount_facts& entry) {
  const auto elapsed = std::chrono::steady_clock::now() - what->since;
  deliver(what->reply,
          admin_mounted{report(entry, instance_status{}, measure_held(*entry.image.toc, my.tools->contents)),
                        std::string(entry.image.toc->config_json()), report(what->delivery),
                        static_cast<std::uint64_t>(
                            std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count())});
  if (const auto kept = my.tools->layers.sync(); !kept)
    spdlog::error("what mount {} is bound to may be lost: {}", what->name, to_string(kept.error()));
}

error cancelled() {
  return {errc::cancelled, "the mount was taken down while it was being made"};
}

start_to_record start_of(const order& what) {
  return {what.image, what.asked.group, what.asked.record, what.asked.for_overlays};
}

void on_mounted(const node_shell& my, const order_ptr& what, const mounted& made) {
  what->over = true;
  what->record.mode = made.mode;
  const auto& entry = enlist(my, what->name, what->image, what->record, made);
  auto& mount = my.state().mounts.at(what->name);
  mount.group = what->asked.group;
  mount.recorder = what->recorder;
  mount.tracing = trace_start(my, start_of(*what), what->recorder);
  if (what->cancelled) {
    finish_trace(mount);
    mount.umount_replies = what->cancels;
    my.self->request(made.handle, my.tools->limits.unmount_timeout, unmount_request{busy_mount::detach})
        .then([](unmounted) {},
              [=](const caf::error&) { my.self->send_exit(made.handle, caf::exit_reason::user_shutdown); });
    return refuse(what->reply, cancelled());
  }
  answer(my, what, entry);
}

/// From here on it can only be cancelled once it is there.
void make_mount(const node_shell& my, const order_ptr& what) {
  my.state().mounting[what->name].cancel = [what](std::optional<admin_promise> reply) {
    what->cancelled = true;
    if (reply) what->cancels.push_back(*reply);
  };
  if (auto bound = bind_layer(my, *what); !bound) return give_up(my, what, bound.error());
  const auto used = my.tools->catalogue.change(
      what->key.first, what->key.second, [](image_record& record) { record.last_used_at = unix_now(); });
  if (!used) return give_up(my, what, used.error());
  if (what->source)
    my.self->request(what->source, my.tools->limits.report_timeout, caf::get_atom_v)
        .then([what](const receiver_report& delivery) { what->delivery = delivery; },
              [](const caf::error&) {});  // it has ended: there is nothing to tell of it
  what->record.image = what->image.record;
  what->record.mounted_at = unix_now();
  auto request = request_for(what->name, what->image, what->record, what->source);
  request.recorder = what->recorder = recorder_for(my, start_of(*what));
  request.record_blocks = what->asked.record;
  my.self->request(my.tools->mounts, caf::infinite, std::move(request))
      .then([=](const mounted& made) { on_mounted(my, what, made); },
            [=](const caf::error& problem) { give_up(my, what, from_caf(problem)); });
}

void await_image(const node_shell& my, const order_ptr& what, const progress_listener& listener) {
  my.state().mounting[what->name].cancel = [=](std::optional<admin_promise> reply) {
    if (reply) what->cancels.push_back(*reply);
    give_up(my, what, cancelled());
  };
  my.self->send(what->source, caf::subscribe_atom_v, listener);
  my.self->request(what->source, caf::infinite, await_mountable{})
      .then(
          [=](const mountable_image& image) {
            if (what->over) return;
            what->image = image;
            make_mount(my, what);
          },
          [=](const caf::error& problem) { give_up(my, what, from_caf(problem)); });
}

void on_instance_down(const node_shell& my, const caf::actor_addr& which) {
  auto& mounts = my.state().mounts;
  const auto gone = std::find_if(mounts.begin(), mounts.end(),
                                 [&](const auto& mount) { return mount.second.handle.address() == which; });
  if (gone == mounts.end()) return;
  finish_trace(gone->second);
  const bool stays = stays_mounted(my, gone->first);
  if (stays && !my.state().stopping) return keep_failed(my, gone->second);
  const auto mount = std::move(gone->second);
  mounts.erase(gone);
  note_unmounted(my, mount.entry.image.record.toc);
  my.state().events.note("unmounted", mount.entry.name);
  if (stays)
    spdlog::info("mount {} is used: it is left to the next node", mount.entry.name);
  else
    clean_after(my, mount.record);
  for (auto reply : mount.umount_replies) deliver(reply, admin_done{});
}

/// Nobody waits for a mount that this client asked for.
void on_client_down(const node_shell& my, const caf::actor_addr& which) {
  std::function<void(std::optional<admin_promise>)> cancel;  // it changes the map
  for (const auto& [name, making] : my.state().mounting)
    if (making.client == which) cancel = making.cancel;
  if (cancel) cancel(std::nullopt);
}

}  // namespace

void watch_mounts(const node_shell& my) {
  my.self->set_down_handler([my](const caf::down_msg& down) {
    auto& state = my.state();
    on_client_down(my, down.source);
    const bool known = state.deliveries.end(down.source) || state.tracers.erase(down.source) > 0;
    if (!known) on_instance_down(my, down.source);
    keep_store_limit(my);
    quit_when_alone(my);
  });
}

void mount(const node_shell& my, const admin_mount_request& asked, const progress_listener& listener,
           admin_promise reply) {
  if (auto allowed = may_begin(my); !allowed) return refuse(reply, allowed.error());
  auto what = place_order(my, asked, reply);
  if (!what) return refuse(reply, what.error());
  my.self->monitor(listener);
  my.state().mounting[(*what)->name].client = listener.address();
  const auto who = asked.for_overlays ? asks_for_image::containerd : asks_for_image::user;
  if (auto noted = note_wanted(my, (*what)->key, who); !noted) return give_up(my, *what, noted.error());
  auto stored = stored_image(*my.tools, (*what)->key);
  if (!stored) return give_up(my, *what, stored.error());
  if (*stored && (*stored)->record.complete) {
    (*what)->image = **stored;
    if (auto made = make_folders_for(my, **what); !made) return give_up(my, *what, made.error());
    return make_mount(my, *what);
  }
  auto source = receive(my, (*what)->key, *stored);
  if (!source) return give_up(my, *what, source.error());
  (*what)->source = *source;
  if (auto made = make_folders_for(my, **what); !made) return give_up(my, *what, made.error());
  await_image(my, *what, listener);
}

writable_layer folders_of(const mount_record::writable_part& writable) {
  const std::filesystem::path folder = writable.path;
  return {folder / "upper", folder / "work"};
}

const mount_facts& enlist(const node_shell& my, const std::string& name, const mountable_image& image,
                          const mount_record& record, const mounted& made) {
  my.state().mounting.erase(name);
  my.state().events.note("mounted", name + ", " + image.record.reference);
  my.self->monitor(made.handle);
  if (my.state().stopping) my.self->send_exit(made.handle, caf::exit_reason::user_shutdown);
  mount_facts entry{.name = name,
                    .target = record.target,
                    .image = image,
                    .mode = made.mode,
                    .method = made.method,
                    .fallback = made.fallback,
                    .lower = made.lower,
                    .read_only = !record.writable.has_value(),
                    .mounted_at = record.mounted_at};
  const auto& limits = my.tools->limits;
  const failed_looks looks({.wait_first = limits.last_user_wait,
                            .wait_max = limits.failed_look_wait_max,
                            .in_vain_max = limits.failed_looks_max});
  return my.state()
      .mounts.emplace(name, running_mount{std::move(entry), made.handle, record, looks})
      .first->second.entry;
}

mount_request request_for(const std::string& name, const mountable_image& image, const mount_record& record,
                          const image_receiver& source) {
  mount_request request{name,          image.toc, source ? caf::actor_cast<receiver>(source) : receiver{},
                        record.target, {},        record.mode,
                        record,        {}};
  if (!record.writable) return request;
  request.writable = folders_of(*record.writable);
  return request;
}

void clean_after(const node_shell& my, const mount_record& record) {
  if (record.writable) {
    auto& layers = my.tools->layers;
    const auto layer = record.writable->layer;
    if (auto released = layers.release(layer, unix_now()); !released)
      spdlog::error("writable layer: {}", to_string(released.error()));
    const auto removed = record.named ? result<void>() : layers.remove(layer, layer_files::remove);
    if (!removed) spdlog::error("writable layer: {}", to_string(removed.error()));
  }
  std::error_code ignored;  // a folder that somebody uses by now is theirs
  if (record.made_target) std::filesystem::remove(record.target, ignored);
}

result<void> remove_left_layers(layer_registry& layers, const std::set<layer_id>& kept) {
  if (auto forgotten = layers.forget_references(); !forgotten) return forgotten;
  for (const auto& layer : layers.list()) {
    if (kept.contains(layer.id)) {
      if (auto acquired = layers.acquire(layer.id, unix_now()); !acquired)
        return tl::unexpected(acquired.error());
      continue;
    }
    const bool unnamed = std::any_of(layer.labels.begin(), layer.labels.end(),
                                     [](const layer_label& label) { return label.first == unnamed_label; });
    if (!unnamed) continue;
    if (auto removed = layers.remove(layer.id, layer_files::remove); !removed)
      spdlog::error("the writable layer {} of a mount that is gone stays until the next start: {}",
                    layer.name, to_string(removed.error()));
  }
  return {};
}

}  // namespace firstlight::detail
