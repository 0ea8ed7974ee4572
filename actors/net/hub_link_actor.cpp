#include "actors/net/hub_link_actor.hpp"

#include <set>
#include <unordered_map>

#include "actors/errors.hpp"
#include "actors/net/kj_loop.hpp"
#include "actors/net/rpc/node_engine.hpp"

namespace firstlight {
namespace {

struct delivery_entry {
  receiver to;
  bool live = false;  ///< the hub works on it; otherwise its receiver only waits to hear of the link
};

struct pending_pull {
  std::uint64_t delivery = 0;
  caf::typed_response_promise<pull_started> promise;
};

using status_promise = caf::typed_response_promise<link_status>;

struct hub_link_state {
  kj_loop* loop = nullptr;
  std::weak_ptr<node_engine> engine;
  std::chrono::milliseconds join_timeout{};
  link_changed now{link_state::connecting, {}};
  std::unordered_map<std::uint64_t, delivery_entry> deliveries;
  std::unordered_map<std::uint64_t, pending_pull> pulls;
  using call_end = std::function<void(const result<shared_bytes>&)>;
  std::unordered_map<std::uint64_t, call_end> calls;
  std::unordered_map<std::uint64_t, status_promise> asking;   ///< want the status as soon as it comes
  std::unordered_map<std::uint64_t, status_promise> joining;  ///< want it once the link is up
  std::uint64_t next_id = 1;

  static inline const char* name = "hub_link";

  // Runs `action(node_engine&)` on the loop's thread.
  // @returns false when there is no transport any more
  template <class Action>
  bool on_engine(Action action) {
    return loop->post([engine = engine, action = std::move(action)]() mutable {
      if (auto alive = engine.lock()) action(*alive);
    });
  }

  void fail_calls(const std::string& why) {
    auto failed = std::move(pulls);
    pulls.clear();
    for (auto& [id, pull] : failed) pull.promise.deliver(to_caf({errc::unavailable, why}));
    for (auto& [id, end] : std::exchange(calls, {})) end(fail(errc::unavailable, why));
  }

  void end(const std::string& why) {
    fail_calls(why);
    for (auto* waiting : {&asking, &joining}) {
      for (auto& [id, promise] : *waiting) promise.deliver(to_caf({errc::unavailable, why}));
      waiting->clear();
    }
  }

  ~hub_link_state() {
    if (loop == nullptr) return;
    loop->post([loop = loop, engine = engine] {
      if (auto alive = engine.lock()) loop->evict(alive.get());
    });
  }
};

using self_pointer = hub_link_shell::stateful_pointer<hub_link_state>;

constexpr const char* stopped = "the transport has stopped";

caf::result<pull_started> pull(self_pointer self, pull_request& request, const receiver& to) {
  auto& state = self->state;
  auto promise = self->make_response_promise<pull_started>();
  const auto id = state.next_id++;
  // What this receiver had before the last cut is replaced by this.
  for (auto at = state.deliveries.begin(); at != state.deliveries.end();)
    at = !at->second.live && at->second.to == to ? state.deliveries.erase(at) : std::next(at);
  state.deliveries[request.delivery] = {to, true};
  state.pulls.emplace(id, pending_pull{request.delivery, promise});
  self->monitor(to);
  if (!state.on_engine([id, request = std::move(request)](node_engine& engine) { engine.pull(id, request); }))
    state.fail_calls(stopped);
  return promise;
}

void end_pull(self_pointer self, pull_answer& answer) {
  auto& state = self->state;
  const auto found = state.pulls.find(answer.id);
  if (found == state.pulls.end()) return;
  auto pull = std::move(found->second);
  state.pulls.erase(found);
  if (answer.outcome) {
    pull.promise.deliver(std::move(*answer.outcome));
    return;
  }
  // The receiver of a pull that the link lost still wants to hear when the link is back.
  if (answer.outcome.error().code != errc::unavailable) state.deliveries.erase(pull.delivery);
  pull.promise.deliver(to_caf(answer.outcome.error()));
}

template <class Incoming>
void route(self_pointer self, std::uint64_t id, Incoming& what) {
  const auto reply = [self, id](verdict answer) {
    self->state.on_engine(
        [id, answer = std::move(answer)](node_engine& engine) { engine.answer(id, answer); });
  };
  const auto found = self->state.deliveries.find(what.delivery);
  if (found == self->state.deliveries.end() || !found->second.live)
    return reply({error{errc::cancelled, "nobody waits for this delivery"}});
  // No time limit: the answer comes when the disk has it, or the receiver or the link ends.
  self->request(found->second.to, caf::infinite, std::move(what))
      .then([reply](verdict& answer) { reply(std::move(answer)); },
            [reply](const caf::error& failure) { reply({from_caf(failure)}); });
}

template <class Incoming>
void pass_on(self_pointer self, Incoming& what) {
  const auto found = self->state.deliveries.find(what.delivery);
  if (found != self->state.deliveries.end()) self->send(found->second.to, std::move(what));
}

/// Makes a call with opaque bytes; `read` makes the reply of what the hub answers.
template <class Reply, class Read>
caf::result<Reply> call_hub(self_pointer self, opaque_call which, const shared_bytes& bytes, Read read) {
  auto& state = self->state;
  auto promise = self->make_response_promise<Reply>();
  const auto id = state.next_id++;
  state.calls.emplace(id, [promise, read](const result<shared_bytes>& answer) mutable {
    if (answer)
      promise.deliver(read(*answer));
    else
      promise.deliver(to_caf(answer.error()));
  });
  if (!state.on_engine([=](node_engine& engine) { engine.call(id, which, bytes); }))
    state.fail_calls(stopped);
  return promise;
}

void end_call(hub_link_state& state, const call_answer& answer) {
  auto found = state.calls.extract(answer.id);
  if (!found.empty()) found.mapped()(answer.outcome);
}

caf::result<link_status> ask_status(self_pointer self) {
  auto promise = self->make_response_promise<link_status>();
  const auto id = self->state.next_id++;
  self->state.asking.emplace(id, promise);
  if (!self->state.on_engine([id](node_engine& engine) { engine.tell_status(id); })) self->state.end(stopped);
  return promise;
}

caf::result<link_status> wait_until_up(self_pointer self) {
  if (self->state.now.now == link_state::up) return ask_status(self);
  auto promise = self->make_response_promise<link_status>();
  const auto id = self->state.next_id++;
  self->state.joining.emplace(id, promise);
  const auto time = self->state.join_timeout;
  if (!self->state.on_engine([id, time](node_engine& engine) { engine.expire(id, time); }))
    self->state.end(stopped);
  return promise;
}

void give_up_waiting(hub_link_state& state, std::uint64_t id) {
  const auto found = state.joining.find(id);
  if (found == state.joining.end()) return;
  found->second.deliver(
      to_caf({errc::timed_out, "no link to the hub" + (state.now.why.empty() ? "" : ": " + state.now.why)}));
  state.joining.erase(found);
}

void deliver_status(hub_link_state& state, status_answer& answer) {
  const auto found = state.asking.find(answer.id);
  if (found == state.asking.end()) return;
  found->second.deliver(std::move(answer.status));
  state.asking.erase(found);
}

void take_news(self_pointer self, link_changed change) {
  auto& state = self->state;
  state.now = change;
  if (change.now == link_state::up) {
    for (auto& [id, promise] : state.joining) state.asking.emplace(id, promise);
    for (auto& [id, promise] : state.joining)
      state.on_engine([id = id](node_engine& engine) { engine.tell_status(id); });
    state.joining.clear();
  }
  std::set<receiver> told;
  for (auto& [id, entry] : state.deliveries) {
    if (change.now == link_state::down) entry.live = false;
    if (told.insert(entry.to).second) self->send(entry.to, change);
  }
  if (change.now == link_state::down) state.fail_calls(change.why);
}

void forget(self_pointer self, const caf::actor_addr& gone) {
  auto& state = self->state;
  for (auto at = state.deliveries.begin(); at != state.deliveries.end();) {
    if (at->second.to.address() != gone) {
      ++at;
      continue;
    }
    if (at->second.live)
      state.on_engine([delivery = at->first](node_engine& engine) { engine.cancel(delivery); });
    at = state.deliveries.erase(at);
  }
}

hub_link_shell::behavior_type hub_link_actor(self_pointer self, kj_loop* loop,
                                             std::weak_ptr<node_engine> engine,
                                             std::chrono::milliseconds join_timeout) {
  self->state.loop = loop;
  self->state.engine = std::move(engine);
  self->state.join_timeout = join_timeout;
  self->set_error_handler([](caf::error&) {});
  self->set_down_handler([self](caf::down_msg& down) { forget(self, down.source); });
  self->set_exit_handler([self](caf::exit_msg& exit) {
    self->state.end("the node is stopping");
    self->quit(exit.reason);
  });
  return {
      [self](pull_request& request, const receiver& to) { return pull(self, request, to); },
      [self](want& what) {
        self->state.on_engine([what = std::move(what)](node_engine& far) { far.wants(what); });
      },
      [self](cancel_delivery what) {
        self->state.deliveries.erase(what.delivery);
        self->state.on_engine([what](node_engine& far) { far.cancel(what.delivery); });
      },
      [self](caf::get_atom) { return ask_status(self); },
      [self](caf::join_atom) { return wait_until_up(self); },
      [self](const trace_report& what) {
        return call_hub<trace_kept>(self, opaque_call::trace, what.encoded,
                                    [](const shared_bytes&) { return trace_kept{}; });
      },
      [self](caf::connect_atom) { self->state.on_engine([](node_engine& far) { far.reconnect(); }); },
      [self](const peer_question& what) {
        return call_hub<peer_answer>(self, opaque_call::ask, what.encoded,
                                     [](const shared_bytes& answer) { return peer_answer{answer}; });
      },
      [self](link_news& news) { take_news(self, std::move(news.change)); },
      [self](remote_toc& remote) { route(self, remote.id, remote.what); },
      [self](remote_segment& remote) { route(self, remote.id, remote.what); },
      [self](incoming_landmark& what) { pass_on(self, what); },
      [self](incoming_progress& what) { pass_on(self, what); },
      [self](pull_answer& answer) { end_pull(self, answer); },
      [self](status_answer& answer) { deliver_status(self->state, answer); },
      [self](const call_answer& answer) { end_call(self->state, answer); },
      [self](join_expired expired) { give_up_waiting(self->state, expired.id); },
  };
}

}  // namespace

hub_link_shell spawn_hub_link_shell(caf::actor_system& system, kj_loop& loop,
                                    std::weak_ptr<node_engine> engine,
                                    std::chrono::milliseconds join_timeout) {
  return system.spawn(hub_link_actor, &loop, std::move(engine), join_timeout);
}

}  // namespace firstlight
