#include "actors/net/node_link_actor.hpp"

#include <unordered_map>

#include "actors/errors.hpp"
#include "actors/net/kj_loop.hpp"
#include "actors/net/rpc/joined_node.hpp"

namespace firstlight {
namespace {

using delivered_promise = caf::typed_response_promise<delivered>;

struct node_link_state {
  kj_loop* loop = nullptr;
  std::weak_ptr<joined_node> node;
  node_session session;
  std::unordered_map<std::uint64_t, delivered_promise> pending;
  std::uint64_t next_id = 1;
  std::string gone = "the link has ended";

  static inline const char* name = "node_link";

  // Runs `action(joined_node&)` on the loop's thread.
  // @returns false when there is no transport any more
  template <class Action>
  bool on_node(Action action) {
    return loop->post([node = node, action = std::move(action)]() mutable {
      if (auto alive = node.lock()) action(*alive);
    });
  }

  void fail_all(const std::string& why) {
    auto failed = std::move(pending);
    pending.clear();
    for (auto& [id, promise] : failed) promise.deliver(to_caf({errc::unavailable, why}));
  }

  ~node_link_state() {
    if (loop == nullptr) return;
    on_node([why = gone](joined_node& far) { far.close(why); });
  }
};

using self_pointer = node_link_shell::stateful_pointer<node_link_state>;

template <class What>
caf::result<delivered> send(self_pointer self, What what) {
  auto promise = self->make_response_promise<delivered>();
  auto& state = self->state;
  const auto id = state.next_id++;
  // A transport without this node tells `link_gone` instead: that fails what is pending.
  state.pending.emplace(id, promise);
  if (!state.on_node(
          [id, what = std::move(what)](joined_node& far) mutable { far.send(id, std::move(what)); }))
    state.fail_all("the transport has stopped");
  return promise;
}

void answer(node_link_state& state, link_answer& what) {
  const auto found = state.pending.find(what.id);
  if (found == state.pending.end()) return;
  auto promise = std::move(found->second);
  state.pending.erase(found);
  if (what.failure)
    promise.deliver(to_caf(*what.failure));
  else
    promise.deliver(std::move(what.outcome));
}

void start_pull(self_pointer self, remote_pull& what) {
  const auto reply = [self, id = what.id](result<pull_started> outcome) {
    self->state.on_node(
        [id, outcome = std::move(outcome)](joined_node& far) { far.answer_pull(id, outcome); });
  };
  // No time limit: ingesting an image takes what it takes, and the session's end is an answer too.
  self->request(self->state.session, caf::infinite, std::move(what.request),
                caf::actor_cast<pull_listener>(self))
      .then([reply](const pull_started& started) { reply(started); },
            [reply](const caf::error& failure) { reply(tl::unexpected(from_caf(failure))); });
}

void answer_call(self_pointer self, remote_call& what) {
  const auto reply = [self, id = what.id](result<shared_bytes> outcome) {
    self->state.on_node(
        [id, outcome = std::move(outcome)](joined_node& far) { far.answer_call(id, outcome); });
  };
  const auto refuse = [reply](const caf::error& failure) { reply(tl::unexpected(from_caf(failure))); };
  if (what.which == opaque_call::trace)
    self->request(self->state.session, caf::infinite, trace_report{std::move(what.bytes), {}})
        .then([reply](trace_kept) { reply(shared_bytes{}); }, refuse);
  else
    self->request(self->state.session, caf::infinite, peer_question{std::move(what.bytes)})
        .then([reply](const peer_answer& answer) { reply(answer.encoded); }, refuse);
}

void end(self_pointer self, std::string why) {
  self->state.fail_all(why);
  self->state.gone = std::move(why);
  if (self->state.session) self->send_exit(self->state.session, caf::exit_reason::remote_link_unreachable);
  self->quit();
}

node_link_shell::behavior_type node_link_actor(self_pointer self, kj_loop* loop,
                                               std::weak_ptr<joined_node> node) {
  self->state.loop = loop;
  self->state.node = std::move(node);
  self->set_error_handler([](caf::error&) {});
  self->set_exit_handler([self](caf::exit_msg&) { end(self, "the hub is stopping"); });
  self->set_down_handler([self](caf::down_msg&) { end(self, "the session has ended"); });
  return {
      [self](outgoing_toc& what) { return send(self, std::move(what)); },
      [self](outgoing_segment& what) { return send(self, std::move(what)); },
      [self](outgoing_padding what) { return send(self, what); },
      [self](outgoing_landmark what) { self->state.on_node([what](joined_node& far) { far.send(what); }); },
      [self](outgoing_pace what) { self->state.on_node([what](joined_node& far) { far.pace(what); }); },
      [self](session_made& made) {
        self->state.session = made.session;
        self->monitor(made.session);
      },
      [self](link_answer& what) { answer(self->state, what); },
      [self](remote_pull& what) { start_pull(self, what); },
      [self](remote_call& what) { answer_call(self, what); },
      [self](incoming_progress& what) {
        self->state.on_node([what = std::move(what)](joined_node& far) { far.progress(what); });
      },
      [self](want& what) { self->send(self->state.session, std::move(what)); },
      [self](part_received what) { self->send(self->state.session, what); },
      [self](cancel_delivery what) { self->send(self->state.session, what); },
      [self](bulk_attached& what) { self->send(self->state.session, std::move(what)); },
      [self](link_gone& what) { end(self, std::move(what.why)); },
  };
}

}  // namespace

node_link_shell spawn_node_link(caf::actor_system& system, kj_loop& loop, std::weak_ptr<joined_node> node) {
  return system.spawn(node_link_actor, &loop, std::move(node));
}

}  // namespace firstlight
