#include "actors/node/node_root.hpp"

#include <spdlog/spdlog.h>

#include "actors/node/node_shell.hpp"
#include "actors/operations.hpp"
#include "model/overloaded.hpp"

namespace firstlight {
namespace {

using detail::node_shell;

void carry_out(const node_shell& my, const admin_request& request, const progress_listener& listener,
               admin_promise reply) {
  std::visit(
      overloaded{
          [&](const admin_pull& asked) {
            detail::use_login(my, asked.reference, asked.login);
            detail::pull(my, asked, listener, reply);
          },
          [&](const admin_mount_request& asked) {
            detail::use_login(my, asked.reference, asked.login);
            detail::mount(my, asked, listener, reply);
          },
          [&](const admin_umount& asked) { detail::umount(my, asked, reply); },
          [&](const admin_list_request&) { detail::list(my, reply); },
          [&](const admin_node_status_request&) { detail::status(my, reply); },
          [&](const admin_waiters_request&) { detail::waiters(my, reply); },
          [&](const admin_receivers_request&) { detail::receivers(my, reply); },
          [&](const admin_wait& asked) { detail::wait(my, asked, listener, reply); },
          [&](const admin_bundle_load& asked) { detail::load_bundle_for(my, asked, listener, reply); },
          [&](const admin_layer_register& asked) { detail::register_layer_for(my, asked, reply); },
          [&](const admin_layer_list_request&) { detail::list_layers_for(my, reply); },
          [&](const admin_layer_find& asked) { detail::find_layer_for(my, asked, reply); },
          [&](const admin_layer_complete& asked) { detail::complete_layer_for(my, asked, reply); },
          [&](const admin_commit& asked) { detail::commit(my, asked, reply); },
          [&](const admin_evict& asked) { detail::evict_for(my, asked, reply); },
          [&](const admin_drain& asked) { detail::drain(my, asked, reply); },
          [&](const admin_reconnect&) {
            my.self->send(my.tools->link, caf::connect_atom_v);
            detail::deliver(reply, admin_done{});
          },
          [&](const admin_log_level& asked) {
            const auto set = set_log_level(asked);
            set ? detail::deliver(reply, *set) : detail::refuse(reply, set.error());
          },
          [&](const admin_events_request& asked) { my.state().events.tell(asked, reply); },
          [&](const admin_trace_switch& asked) { detail::switch_traces(my, asked, reply); },
          [&](const admin_trace_default& asked) { detail::restore_tracing(my, asked, reply); },
          [&](const admin_layer_remove& asked) { detail::remove_layer_for(my, asked, reply); },
          [&](const auto&) {
            detail::refuse(reply, {errc::unsupported, "this is a node; ask the hub's daemon (--socket)"});
          },
      },
      request);
}

/// Mounts that nobody uses come down first; the others are left to the next process.
void stop(const node_shell& my, const caf::error& reason) {
  my.state().stopping = reason;
  for (const auto& [key, source] : my.state().receivers)
    my.self->send_exit(source.handle, caf::exit_reason::user_shutdown);
  detail::leave_failed(my);
  for (const auto& [name, mount] : my.state().mounts) detail::finish_trace(mount);
  for (const auto& [name, mount] : my.state().mounts)
    my.self->send_exit(mount.handle, caf::exit_reason::user_shutdown);
  detail::quit_when_alone(my);
}

}  // namespace

node_root::behavior_type make_node_root(node_root::stateful_pointer<node_root_state> self,
                                        node_root_tools tools, const std::vector<left_mount>& left) {
  const node_shell my{self, std::make_shared<const node_root_tools>(std::move(tools))};
  self->state.started = std::chrono::steady_clock::now();
  self->set_exit_handler([my](caf::exit_msg& message) { stop(my, message.reason); });
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  detail::watch_mounts(my);
  for (const auto& mount : left) detail::take_over(my, mount);
  detail::resume_interrupted(my);
  detail::keep_store_limit(my);
  return {
      [=](const admin_message& message, const progress_listener& listener) -> caf::result<admin_message> {
        const auto request = decode_admin_request(message.bytes.bytes);
        if (!request) return to_caf(request.error());
        auto reply = self->make_response_promise<admin_message>();
        carry_out(my, *request, listener, reply);
        return reply;
      },
      [=](const delivery_ended& ended) { detail::note_ended(my, ended); },
      [=](const version_replaced& news) { detail::note_replaced(my, news); },
      [=](const receiver_rests& news) { detail::note_rest(my, news); },
      [=](const wake_receiver& asked) -> caf::result<receiver_awake> {
        if (auto let = detail::let_write(my, asked.receiver); !let) return to_caf(let.error());
        return receiver_awake{};
      },
      [=](const start_sent& news) { my.state().events.note("start sent", news.reference); },
      [=](const bundle_stored& news) { detail::note_stored(my, news); },
      [=](const snapshotter& of_containerd) { my.state().snapshotter = of_containerd; },
      [=](const snapshot_news& news) { detail::note_snapshots(my, news); },
      [=](const umount_overdue& what) { detail::answer_overdue(my, what); },
      [=](const pull_given_up& what) { detail::give_up_pull(my, what); },
      [=](const container_begins& news) {
        detail::record_container(my, news);
        return container_recorded{};
      },
      [=](const forget_image& what) -> caf::result<image_forgotten> {
        const auto gone = detail::forget_for_containerd(my, {what.reference, what.platform});
        if (!gone) return to_caf(gone.error());
        return *gone;
      },
  };
}

}  // namespace firstlight
