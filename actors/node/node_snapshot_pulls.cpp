#include "actors/node/node_shell.hpp"

namespace firstlight::detail {
namespace {

using pull_number = std::uint64_t;

instant now_of(const node_shell& my) {
  return my.self->clock().now();
}

/// None: it has been answered, or given up.
snapshot_pull* find_pull(const node_shell& my, pull_number number) {
  const auto found = my.state().snapshot_pulls.find(number);
  return found == my.state().snapshot_pulls.end() ? nullptr : &found->second;
}

/// Its promise, to be kept at once: from now on the pull is over.
admin_promise end_pull(const node_shell& my, pull_number number) {
  return my.state().snapshot_pulls.extract(number).mapped().reply;
}

link_number number_of(const link_status& link) {
  return link.state == link_state::up ? link_number(link.reconnects) : std::nullopt;
}

void go_on(const node_shell& my, pull_number number, patient_pull::next what);

void ask_link(const node_shell& my, pull_number number) {
  my.self->request(my.tools->link, my.tools->limits.report_timeout, caf::get_atom_v)
      .then(
          [=](const link_status& link) {
            if (auto* pull = find_pull(my, number))
              go_on(my, number, pull->core.link_is(number_of(link), now_of(my)));
          },
          [=](const caf::error& problem) {
            if (auto* pull = find_pull(my, number))
              go_on(my, number, pull->core.no_link(from_caf(problem).code, now_of(my)));
          });
}

void wait_for_link(const node_shell& my, pull_number number, std::chrono::milliseconds limit) {
  my.self->request(my.tools->link, limit, caf::join_atom_v)
      .then(
          [=](const link_status&) {
            if (auto* pull = find_pull(my, number)) go_on(my, number, pull->core.linked(now_of(my)));
          },
          [=](const caf::error& problem) {
            if (auto* pull = find_pull(my, number))
              go_on(my, number, pull->core.no_link(from_caf(problem).code, now_of(my)));
          });
}

/// The link answers in the order of the questions: this one comes before the hub is asked for the image.
void note_link(const node_shell& my, pull_number number) {
  my.self->request(my.tools->link, my.tools->limits.report_timeout, caf::get_atom_v)
      .then(
          [=](const link_status& link) {
            if (auto* pull = find_pull(my, number)) pull->core.began_over(number_of(link));
          },
          [](const caf::error&) {});
}

/// Who asks next begins anew, though the root has not heard yet that this one has failed.
void note_failed(const node_shell& my, const image_key& key, const image_receiver& source) {
  const auto running = my.state().receivers.find(key);
  if (running != my.state().receivers.end() && running->second.handle == source)
    running->second.failed = true;
}

void await_image(const node_shell& my, pull_number number, const image_receiver& source) {
  my.self->request(source, caf::infinite, await_mountable{})
      .then(
          [=](const mountable_image& image) {
            if (find_pull(my, number)) answer_mountable(my, source, image, end_pull(my, number));
          },
          [=](const caf::error& problem) {
            auto* pull = find_pull(my, number);
            if (!pull) return;
            note_failed(my, pull->key, source);
            go_on(my, number, pull->core.failed(from_caf(problem)));
          });
}

void begin(const node_shell& my, pull_number number) {
  auto& pull = my.state().snapshot_pulls.at(number);
  pull.core.begins(arrives(my, pull.key) ? patient_pull::request_is::joined : patient_pull::request_is::own);
  note_link(my, number);
  const auto source = receive_for(my, pull.key, asks_for_image::containerd, pull.client);
  if (!source) return refuse(end_pull(my, number), source.error());
  my.self->send(*source, caf::subscribe_atom_v, pull.client);
  await_image(my, number, *source);
}

void go_on(const node_shell& my, pull_number number, patient_pull::next what) {
  const auto& core = my.state().snapshot_pulls.at(number).core;
  switch (what) {
    case patient_pull::next::ask_link:
      return ask_link(my, number);
    case patient_pull::next::wait_for_link:
      return wait_for_link(my, number, core.left(now_of(my)));
    case patient_pull::next::begin:
      return begin(my, number);
    case patient_pull::next::refuse:
      const auto why = core.why();
      return refuse(end_pull(my, number), why);
  }
}

}  // namespace

void pull_for_snapshots(const node_shell& my, const admin_pull& asked, const progress_listener& client,
                        admin_promise reply) {
  const auto key = canonical(*my.tools, asked.reference, asked.platform);
  if (!key) return refuse(reply, key.error());
  const auto number = ++my.state().snapshot_pulls_begun;
  my.state().snapshot_pulls.emplace(
      number, snapshot_pull{*key, client, reply, patient_pull(my.tools->hub_wait, now_of(my))});
  begin(my, number);
}

void give_up_pull(const node_shell& my, const pull_given_up& what) {
  const auto key = canonical(*my.tools, what.reference, what.platform);
  if (!key) return;
  std::erase_if(my.state().snapshot_pulls, [&](const auto& pull) {
    const bool gone = pull.second.key == *key && pull.second.client.address() == what.client;
    if (gone) refuse(pull.second.reply, {errc::cancelled, "nobody waits for it any more"});
    return gone;
  });
  auto& receivers = my.state().receivers;
  const auto running = receivers.find(*key);
  if (running == receivers.end() || running->second.only_for.erase(what.client) == 0) return;
  if (!running->second.only_for.empty()) return;
  my.state().events.note("delivery given up", key->first + ": nobody waits for it any more");
  my.self->send_exit(running->second.handle, caf::exit_reason::user_shutdown);
  receivers.erase(running);
}

}  // namespace firstlight::detail
