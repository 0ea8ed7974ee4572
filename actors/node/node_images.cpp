#include <spdlog/spdlog.h>

#include "actors/node/node_shell.hpp"

namespace firstlight::detail {
namespace {

void tell_mounts(const node_shell& my, const toc_id& toc, const image_receiver& source) {
  for (const auto& [name, mount] : my.state().mounts)
    if (mount.entry.image.record.toc == toc) my.self->send(mount.handle, caf::actor_cast<receiver>(source));
}

/// An incomplete image that is mounted: whatever its reference means now, its readers need its contents.
std::optional<mountable_image> mounted_image(const node_shell& my, const image_key& key) {
  for (const auto& [name, mount] : my.state().mounts) {
    const auto& image = mount.entry.image;
    if (key_of(image.record) != key) continue;
    if (!image.toc->contents_known() || !measure_held(*image.toc, my.tools->contents).incomplete.empty())
      return image;
  }
  return std::nullopt;
}

admin_node_image describe(const node_root_tools& tools, const mountable_image& image) {
  return report(image.record, measure_held(*image.toc, tools.contents), 0);
}

/// Answers with the image as it is stored now.
void answer_pulled(const node_shell& my, const image_key& key, const receiver_report& delivery,
                   admin_promise reply) {
  auto image = stored_image(*my.tools, key);
  if (!image) return refuse(reply, image.error());
  if (!*image) return refuse(reply, {errc::not_found, key.first + " is gone"});
  deliver(reply, admin_pulled{describe(*my.tools, **image), report(delivery)});
}

void answer_when_complete(const node_shell& my, const image_key& key, const image_receiver& source,
                          admin_promise reply) {
  my.self->request(source, caf::infinite, await_complete{})
      .then([=](const receiver_report& delivery) { answer_pulled(my, key, delivery, reply); },
            [=](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
}

void answer_when_mountable(const node_shell& my, const image_receiver& source, admin_promise reply) {
  my.self->request(source, caf::infinite, await_mountable{})
      .then([=](const mountable_image& image) { answer_mountable(my, source, image, reply); },
            [=](caf::error& problem) mutable { reply.deliver(std::move(problem)); });
}

receiver_report last_report(const node_shell& my, const image_key& key) {
  for (const auto& ended : my.state().ended)
    if (ended.reference == key.first && ended.platform == key.second) return ended;
  receiver_report none;
  none.reference = key.first;
  none.platform = key.second;
  none.phase = delivery_phase::complete;
  return none;
}

/// What to do when a delivery does not answer: that of a small image may have ended by now, complete or not.
auto answer_if_ended(const node_shell& my, const image_key& key, admin_promise reply) {
  return [=](const caf::error& problem) {
    const auto why = from_caf(problem);
    if (why.code != errc::unavailable) return refuse(reply, why);
    answer_pulled(my, key, last_report(my, key), reply);
  };
}

/// The contents of a large image need not be known yet.
void answer_registered(const node_shell& my, const mountable_image& image, const image_receiver& source,
                       pull_until until, admin_promise reply) {
  if (until != pull_until::complete) return answer_mountable(my, source, image, reply);
  const auto key = key_of(image.record);
  my.self->request(source, caf::infinite, await_complete{})
      .then([=](const receiver_report& delivery) { answer_pulled(my, key, delivery, reply); },
            answer_if_ended(my, key, reply));
}

/// Tells containerd of an image, then runs `then` with it.
void register_when_mountable(const node_shell& my, const image_key& key, const image_receiver& source,
                             const register_image& what, admin_promise reply,
                             std::function<void(const mountable_image&)> then) {
  if (!my.tools->registrar)
    return refuse(reply,
                  {errc::unsupported,
                   "this node serves no snapshots to containerd; set containerd.socket and restart it"});
  my.state().registering.insert(key);
  const auto over = [=] {
    auto& registering = my.state().registering;
    registering.erase(registering.find(key));
  };
  const auto refused = [=](caf::error& problem) mutable {
    over();
    reply.deliver(std::move(problem));
  };
  my.self->request(source, caf::infinite, await_mountable{})
      .then(
          [=](const mountable_image& image) {
            my.self
                ->request(my.tools->registrar, caf::infinite,
                          register_image{what.reference, what.space, image})
                .then(
                    [=](image_registered) {
                      over();
                      then(image);
                    },
                    refused);
          },
          refused);
}

void answer_waited(const node_shell& my, const image_key& key, const receiver_report& delivery,
                   admin_promise reply) {
  auto image = stored_image(*my.tools, key);
  if (!image) return refuse(reply, image.error());
  if (!*image) return refuse(reply, {errc::not_found, key.first + " is gone"});
  deliver(reply, admin_waited{describe(*my.tools, **image), report(delivery)});
}

void wait_for_image(const node_shell& my, const image_key& key, const admin_wait& asked,
                    const progress_listener& listener, admin_promise reply) {
  const auto running = my.state().receivers.find(key);
  if (running == my.state().receivers.end()) {
    const auto image = stored_image(*my.tools, key);
    if (!image) return refuse(reply, image.error());
    if (!*image)
      return refuse(reply, {errc::not_found, key.first + " is not here; get it with 'firstlight pull'"});
    if (!(*image)->record.complete) return refuse(reply, {errc::unavailable, last_report(my, key).problem});
    return answer_waited(my, key, last_report(my, key), reply);
  }
  running->second.only_for = {};
  my.self->send(running->second.handle, caf::subscribe_atom_v, listener);
  const auto limit = asked.timeout_ms == 0 ? caf::duration(caf::infinite)
                                           : caf::duration(std::chrono::milliseconds(asked.timeout_ms));
  my.self->request(running->second.handle, limit, await_complete{})
      .then([=](const receiver_report& delivery) { answer_waited(my, key, delivery, reply); },
            [=](caf::error& problem) mutable {
              const auto why = from_caf(problem);
              refuse(reply, why.code != errc::timed_out
                                ? why
                                : error{errc::timed_out, key.first + " is not complete yet; wait longer"});
            });
}

}  // namespace

void answer_mountable(const node_shell& my, const image_receiver& source, const mountable_image& image,
                      admin_promise reply) {
  my.self->request(source, my.tools->limits.report_timeout, caf::get_atom_v)
      .then(
          [=](const receiver_report& delivery) {
            deliver(reply, admin_pulled{describe(*my.tools, image), report(delivery)});
          },
          answer_if_ended(my, key_of(image.record), reply));
}

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

result<image_key> canonical(const node_root_tools& tools, const std::string& reference,
                            const std::string& platform) {
  auto parsed = parse_image_reference(reference);
  if (!parsed) return tl::unexpected(parsed.error());
  auto wanted = platform.empty() ? result<firstlight::platform>(tools.home) : parse_platform(platform);
  if (!wanted) return tl::unexpected(wanted.error());
  return image_key{parsed->text(), wanted->text()};
}

result<image_receiver> receive(const node_shell& my, const image_key& key,
                               const std::optional<mountable_image>& known) {
  if (my.state().stopping) return fail(errc::cancelled, "the node is stopping");
  auto& receivers = my.state().receivers;
  const auto running = receivers.find(key);
  if (running != receivers.end() && !running->second.failed) {
    running->second.only_for = {};
    return running->second.handle;
  }
  if (running != receivers.end()) my.self->send_exit(running->second.handle, caf::exit_reason::user_shutdown);
  if (receivers.size() >= my.tools->limits.deliveries_max)
    return fail(errc::limit_exceeded, "deliveries_max: too many images are arriving; wait for one of them");
  const auto& tools = *my.tools;
  const auto going_on = known ? known : mounted_image(my, key);
  auto source =
      my.self->spawn(make_image_receiver, receive_request{{key.first, key.second}, going_on},
                     receiver_tools{tools.catalogue, tools.contents, tools.authority, tools.link,
                                    tools.workers, tools.keepers, tools.receiver,
                                    caf::actor_cast<caf::actor>(my.self), my.state().delivery_ids,
                                    my.state().beside, tools.logins, tools.plans, former_versions_here(my)});
  my.self->monitor(source);
  my.state().deliveries.begin(source.address());
  receivers.insert_or_assign(key, running_receiver{source, false});
  if (going_on) tell_mounts(my, going_on->record.toc, source);
  return source;
}

result<std::optional<mountable_image>> stored_image(const node_root_tools& tools, const image_key& key) {
  const auto record = tools.catalogue.find(key.first, key.second);
  if (record && !*record) return std::nullopt;
  auto toc = record.and_then([&](const auto& known) { return tools.catalogue.toc(known->toc); });
  if (!toc && !toc_is_lost(toc.error().code)) return tl::unexpected(toc.error());
  if (!toc) {  // as after a power cut: the next pull brings it again
    spdlog::warn("{} counts as unknown: {}", key.first, to_string(toc.error()));
    return std::nullopt;
  }
  return mountable_image{**record, std::move(*toc)};
}

void use_login(const node_shell& my, const std::string& reference, const registry_login& login) {
  if (!my.tools->logins || is_empty(login)) return;
  my.self
      ->request(my.tools->logins, caf::infinite,
                remember_login{reference, std::make_shared<const registry_login>(login)})
      .then([](login_remembered) {},
            [](const caf::error& problem) {
              spdlog::warn("a login is not kept: {}", to_string(from_caf(problem)));
            });
}

result<void> note_wanted(const node_shell& my, const image_key& key, asks_for_image who) {
  auto& catalogue = my.tools->catalogue;
  const catalogue_name image{key.first, key.second};
  if (who == asks_for_image::user) return catalogue.hold_for_users(image);
  const auto record = catalogue.find(key.first, key.second);
  const bool here = !record || *record;  // a damaged one is somebody's
  return here || my.state().receivers.contains(key) ? result<void>{} : catalogue.hold_for_containerd(image);
}

void resume_interrupted(const node_shell& my) {
  const auto records = my.tools->catalogue.list();
  if (!records)
    return spdlog::error("interrupted deliveries cannot be resumed: {}", to_string(records.error()));
  for (const auto& record : *records) {
    if (record.complete) continue;
    const auto key = key_of(record);
    auto image = stored_image(*my.tools, key);
    auto source = image ? receive(my, key, *image) : tl::unexpected(image.error());
    if (!source) spdlog::error("{} cannot be resumed: {}", record.reference, to_string(source.error()));
  }
}

void note_ended(const node_shell& my, const delivery_ended& ended) {
  auto& state = my.state();
  const bool failed = ended.report.phase == delivery_phase::failed;
  state.events.note(failed ? "delivery failed" : "delivery complete",
                    ended.report.reference + (failed ? ": " + ended.report.problem : ""));
  state.ended.push_front(ended.report);
  if (state.ended.size() > my.tools->limits.ended_deliveries_shown) state.ended.pop_back();
  const image_key key{ended.report.reference, ended.report.platform};
  const auto running = state.receivers.find(key);
  if (running == state.receivers.end() || running->second.handle.address() != ended.by) return;
  // A failed one stays for its mounts: their readers start it again.
  running->second.failed = ended.report.phase == delivery_phase::failed;
  if (running->second.failed && is_mounted(my, key)) return;
  my.self->send_exit(running->second.handle, caf::exit_reason::user_shutdown);
  state.receivers.erase(running);
}

bool arrives(const node_shell& my, const image_key& key) {
  const auto running = my.state().receivers.find(key);
  return running != my.state().receivers.end() && !running->second.failed;
}

result<image_receiver> receive_for(const node_shell& my, const image_key& key, asks_for_image who,
                                   const progress_listener& client) {
  if (auto allowed = may_begin(my); !allowed) return tl::unexpected(allowed.error());
  if (auto noted = note_wanted(my, key, who); !noted) return tl::unexpected(noted.error());
  const bool joins = arrives(my, key);
  auto clients = joins ? my.state().receivers.at(key).only_for : std::set<caf::actor_addr>{};
  if (!joins || !clients.empty()) clients.insert(client.address());
  auto source = receive(my, key, std::nullopt);
  // A mount of the image wants it, too, whoever gives up.
  if (source && !is_mounted(my, key)) my.state().receivers.at(key).only_for = std::move(clients);
  return source;
}

void pull(const node_shell& my, const admin_pull& asked, const progress_listener& listener,
          admin_promise reply) {
  const bool registers = !asked.containerd_namespace.empty();
  if (asked.for_containerd && !registers && asked.until == pull_until::mountable)
    return pull_for_snapshots(my, asked, listener, reply);
  const auto key = canonical(*my.tools, asked.reference, asked.platform);
  if (!key) return refuse(reply, key.error());
  const auto who = asked.for_containerd || registers ? asks_for_image::containerd : asks_for_image::user;
  const auto source = receive_for(my, *key, who, listener);
  if (!source) return refuse(reply, source.error());
  if (asked.until == pull_until::started) return deliver(reply, admin_done{});
  my.self->send(*source, caf::subscribe_atom_v, listener);
  if (registers)
    return register_when_mountable(my, *key, *source, {key->first, asked.containerd_namespace, {}}, reply,
                                   [=, source = *source, until = asked.until](const mountable_image& image) {
                                     answer_registered(my, image, source, until, reply);
                                   });
  if (asked.until == pull_until::complete)
    answer_when_complete(my, *key, *source, reply);
  else
    answer_when_mountable(my, *source, reply);
}

void wait(const node_shell& my, const admin_wait& asked, const progress_listener& listener,
          admin_promise reply) {
  with_mount(my, asked.what, [=](const running_mount* mount) {
    const auto key = mount != nullptr ? result<image_key>(key_of(mount->entry.image.record))
                                      : canonical(*my.tools, asked.what, asked.platform);
    key ? wait_for_image(my, *key, asked, listener, reply) : refuse(reply, key.error());
  });
}

}  // namespace firstlight::detail
