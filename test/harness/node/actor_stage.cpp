#include "test/harness/node/actor_stage.hpp"

namespace firstlight {

actor_stage::actor_stage() {
  config_.set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(config_);
}

actor_stage::~actor_stage() {
  for (auto& actor : kept_) caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  kept_.clear();
  scheduler().clock().cancel_all();
  run();
}

caf::scheduler::test_coordinator& actor_stage::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

void actor_stage::pass(std::chrono::milliseconds time) {
  run();
  scheduler().advance_time(time);
  run();
}

worker_pool actor_stage::workers(std::shared_ptr<int> pieces) {
  if (!pieces) return worker_pool(std::vector<worker>{keep(system_->spawn(make_worker))});
  const auto behave = [pieces](worker::pointer) -> worker::behavior_type {
    return {[pieces](const work& piece) {
      ++*pieces;
      piece.run();
      return work_done{};
    }};
  };
  return worker_pool(std::vector<worker>{keep(system_->spawn(behave))});
}

namespace {

struct held_pieces {
  static inline const char* name = "held-worker";
  std::vector<std::pair<work, caf::typed_response_promise<work_done>>> pieces;
};

actor_stage::held_worker::behavior_type behave_held(
    actor_stage::held_worker::stateful_pointer<held_pieces> self) {
  return {
      [self](const work& piece) {
        auto reply = self->make_response_promise<work_done>();
        self->state.pieces.emplace_back(piece, reply);
        return reply;
      },
      [self](caf::tick_atom) {
        if (self->state.pieces.empty()) return;
        auto [piece, reply] = std::move(self->state.pieces.back());
        self->state.pieces.pop_back();
        piece.run();
        reply.deliver(work_done{});
      },
  };
}

}  // namespace

actor_stage::held_worker actor_stage::hold_work() {
  return keep(system_->spawn(behave_held));
}

void actor_stage::finish_last(const held_worker& held) {
  caf::anon_send(held, caf::tick_atom_v);
  run();
}

caf::actor make_listening_instance(actor_stage& stage, std::shared_ptr<told_instance> into) {
  return stage.keep(stage.system().spawn([into](caf::event_based_actor*) -> caf::behavior {
    return {
        [into](const blocks_ready& news) {
          into->ready.insert(into->ready.end(), news.runs->begin(), news.runs->end());
        },
        [into](contents_known) { ++into->contents_known; },
        [into](const blocks_failed& news) { into->failed.push_back(news); },
        [into](const link_changed& news) { into->links.push_back(news); },
        [into](image_complete) { ++into->completed; },
    };
  }));
}

void fake_far_side::act(std::function<void()> what) const {
  caf::anon_send(self, work{std::move(what)});
  stage->run();
}

namespace {

using acting_hub_link = hub_link::extend<caf::reacts_to<work>>;
using acting_node_link = node_link::extend<caf::reacts_to<work>>;

acting_hub_link::behavior_type play_hub(acting_hub_link::pointer self, std::shared_ptr<fake_hub_link> into) {
  return {
      [into, self](const pull_request& request, const receiver& to) -> caf::result<pull_started> {
        into->pulls.push_back({request, to, self->make_response_promise<pull_started>()});
        return into->pulls.back().answer;
      },
      [into](const want& what) { into->wants.push_back(what); },
      [into](const cancel_delivery& what) { into->cancels.push_back(what); },
      [into](caf::get_atom) { return into->status; },
      [into, self](caf::join_atom) -> caf::result<link_status> {
        into->joining.push_back(self->make_response_promise<link_status>());
        return into->joining.back();
      },
      [into, self](const trace_report& what) -> caf::result<trace_kept> {
        into->traces.push_back({what, self->make_response_promise<trace_kept>()});
        return into->traces.back().answer;
      },
      [](caf::connect_atom) {},
      [into, self](const peer_question& asked) -> caf::result<peer_answer> {
        if (!into->answers_peer) return to_caf({errc::denied, "no hub"});
        if (into->holds_questions) {
          into->questions.push_back({asked, self->make_response_promise<peer_answer>()});
          return into->questions.back().answer;
        }
        auto said = into->answers_peer(asked);
        if (!said) return to_caf(said.error());
        return *said;
      },
      [](const work& piece) { piece.run(); },
  };
}

acting_node_link::behavior_type play_node(acting_node_link::pointer self,
                                          std::shared_ptr<fake_node_link> into) {
  return {
      [into, self](const outgoing_toc& what) -> caf::result<delivered> {
        into->tocs.push_back(what);
        into->toc_replies.push_back(self->make_response_promise<delivered>());
        return into->toc_replies.back();
      },
      [into, self](const outgoing_segment& what) -> caf::result<delivered> {
        into->segments.push_back(what);
        into->in_flight.push_back({what, self->make_response_promise<delivered>()});
        return into->in_flight.back().reply;
      },
      [into, self](const outgoing_padding&) -> caf::result<delivered> {
        if (!into->holds_padding) return delivered{};
        into->paddings.push_back(self->make_response_promise<delivered>());
        return into->paddings.back();
      },
      [into](const outgoing_landmark& what) { into->landmarks.push_back(what); },
      [](const outgoing_pace&) {},
      [](const work& piece) { piece.run(); },
  };
}

delivered delivered_with(verdict answer) {
  return {std::move(answer), std::chrono::milliseconds(10), std::chrono::milliseconds(10)};
}

}  // namespace

hub_link make_fake_hub_link(actor_stage& stage, std::shared_ptr<fake_hub_link> into) {
  const auto made = stage.keep(stage.system().spawn(play_hub, into));
  into->stage = &stage;
  into->self = caf::actor_cast<caf::actor>(made);
  return caf::actor_cast<hub_link>(made);
}

void fake_hub_link::answer_trace(const result<void>& with) {
  auto promise = traces.back().answer;
  act([&] {
    if (with)
      promise.deliver(trace_kept{});
    else
      promise.deliver(to_caf(with.error()));
  });
}

void fake_hub_link::answer_questions() {
  act([this] {
    for (auto& one : std::exchange(questions, {}))
      if (const auto said = answers_peer(one.what))
        one.answer.deliver(*said);
      else
        one.answer.deliver(to_caf(said.error()));
  });
}

void fake_hub_link::answer(const result<pull_started>& with) {
  act([this, with] {
    if (with)
      pulls.back().answer.deliver(*with);
    else
      pulls.back().answer.deliver(to_caf(with.error()));
  });
}

node_link make_fake_node_link(actor_stage& stage, std::shared_ptr<fake_node_link> into) {
  const auto made = stage.keep(stage.system().spawn(play_node, into));
  into->stage = &stage;
  into->self = caf::actor_cast<caf::actor>(made);
  return caf::actor_cast<node_link>(made);
}

void fake_node_link::answer_padding() {
  act([this] {
    for (auto& reply : std::exchange(paddings, {})) reply.deliver(delivered_with({}));
  });
}

void fake_node_link::answer_toc(const verdict& with) {
  act([this, with] {
    for (auto& reply : std::exchange(toc_replies, {})) reply.deliver(delivered_with(with));
  });
}

void fake_node_link::answer(verdict with) {
  act([this, with] {
    auto oldest = std::move(in_flight.front());
    in_flight.erase(in_flight.begin());
    oldest.reply.deliver(delivered_with(with));
  });
}

void fake_node_link::lose_all() {
  act([this] {
    for (auto& lost : std::exchange(in_flight, {}))
      lost.reply.deliver(to_caf({errc::unavailable, "the connection ended"}));
    paddings.clear();
  });
}

}  // namespace firstlight
