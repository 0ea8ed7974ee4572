#include "actors/hub/hub_peer.hpp"

#include <spdlog/spdlog.h>

#include "actors/errors.hpp"
#include "schemas/trace_codec.hpp"

namespace firstlight {
namespace {

using self_pointer = hub_peer::stateful_pointer<peer_state>;

struct shell {
  self_pointer self;
  std::shared_ptr<const peer_parts> parts;

  [[nodiscard]] peer_state& state() const { return self->state; }
};

void go_on(const shell& my);

void pause(const shell& my) {
  my.state().busy = false;
  if (std::exchange(my.state().ticking, true)) return;
  my.self->delayed_send(my.self, my.parts->interval, caf::tick_atom_v);
}

void note_failure(const shell& my, const error& why) {
  my.state().status.last_error = to_string(why);
  pause(my);
}

/// Calls the other hub with one message, then `then(answer)`.
template <class Message, class Answer, class Then>
void call(const shell& my, Message message, Then then) {
  my.state().busy = true;
  my.self->request(my.parts->link, caf::infinite, std::move(message))
      .then(
          [my, then](const Answer& answer) {
            my.state().busy = false;
            then(answer);
          },
          [my](const caf::error& problem) { note_failure(my, from_caf(problem)); });
}

// ---- what the other hub has --------------------------------------------------------------------

/// Whether this hub has, or had, a trace.
bool is_here(const shell& my, const trace_id& id) {
  const auto known = my.parts->traces.knows(id);
  return !known || *known;  // a store that fails is not asked to take more
}

void start_anew(const shell& my, std::uint64_t epoch) {
  auto& state = my.state();
  state.epoch = epoch;
  state.position = 0;
  state.listed = false;
  state.theirs.clear();
  state.to_fetch.clear();
  state.to_send.clear();
}

void send_what_they_lack(const shell& my) {
  const auto own = my.parts->traces.known();
  if (!own) return spdlog::error("traces are not sent to {}: {}", my.parts->address, to_string(own.error()));
  for (const auto& id : *own)
    if (!my.state().theirs.contains(id)) my.state().to_send.push_back(id);
}

void take_ids(const shell& my, const ids_answer& answer) {
  auto& state = my.state();
  if (answer.epoch != state.epoch) start_anew(my, answer.epoch);
  for (const auto& id : answer.ids) {
    state.theirs.insert(id);
    if (!is_here(my, id)) state.to_fetch.push_back(id);
  }
  state.position = answer.position;
  const bool first_time = answer.last && !std::exchange(state.listed, state.listed || answer.last);
  if (first_time) send_what_they_lack(my);
  state.status.last_error.clear();
  const bool more = !answer.last || !state.to_fetch.empty() || !state.to_send.empty();
  more ? go_on(my) : pause(my);
}

void ask_ids(const shell& my) {
  const auto question = encode_inquiry(ids_question{my.state().epoch, my.state().position});
  call<peer_question, peer_answer>(my, peer_question{share(question)}, [my](const peer_answer& answer) {
    const auto reply = decode_reply(answer.encoded.bytes);
    const auto* ids = reply ? std::get_if<ids_answer>(&*reply) : nullptr;
    if (ids == nullptr) return note_failure(my, {errc::protocol, "the other hub answers something else"});
    take_ids(my, *ids);
  });
}

// ---- exchange ----------------------------------------------------------------------------------

/// What is refused here is not fetched again: only a later process asks once more.
void take_trace(const shell& my, const std::vector<std::byte>& encoded) {
  if (encoded.empty()) return go_on(my);
  my.state().busy = true;
  my.self->request(my.parts->aggregator, caf::infinite, trace_report{share(encoded), {}})
      .then(
          [my](trace_kept) {
            ++my.state().status.traces_fetched;
            my.state().busy = false;
            go_on(my);
          },
          [my](const caf::error&) {
            my.state().busy = false;
            go_on(my);
          });
}

void fetch_next(const shell& my) {
  const auto id = my.state().to_fetch.front();
  my.state().to_fetch.pop_front();
  if (is_here(my, id)) return go_on(my);
  call<peer_question, peer_answer>(
      my, peer_question{share(encode_inquiry(trace_question{id}))}, [my](const peer_answer& answer) {
        const auto reply = decode_reply(answer.encoded.bytes);
        const auto* one = reply ? std::get_if<trace_answered>(&*reply) : nullptr;
        if (one == nullptr) return note_failure(my, {errc::protocol, "the other hub answers something else"});
        take_trace(my, one->encoded);
      });
}

void send_next(const shell& my) {
  const auto id = my.state().to_send.front();
  my.state().to_send.pop_front();
  if (!my.state().theirs.insert(id).second) return go_on(my);
  const auto recorded = my.parts->traces.find(id);
  if (!recorded || !*recorded) return go_on(my);  // removed meanwhile
  my.state().busy = true;
  my.self->request(my.parts->link, caf::infinite, trace_report{share(encode_trace(**recorded)), {}})
      .then(
          [my](trace_kept) {
            ++my.state().status.traces_sent;
            my.state().busy = false;
            go_on(my);
          },
          [my, id](const caf::error& problem) {
            const auto why = from_caf(problem);
            const bool refused = why.code == errc::invalid_argument || why.code == errc::corrupt ||
                                 why.code == errc::limit_exceeded;
            if (!refused) {  // it goes out when the other hub is back
              my.state().theirs.erase(id);
              my.state().to_send.push_front(id);
            }
            note_failure(my, why);
          });
}

void go_on(const shell& my) {
  auto& state = my.state();
  if (state.busy) return;
  if (!state.to_fetch.empty()) return fetch_next(my);
  if (!state.to_send.empty() && state.listed) return send_next(my);
  ask_ids(my);
}

caf::result<admin_peer> report(const shell& my) {
  auto promise = my.self->make_response_promise<admin_peer>();
  my.self->request(my.parts->link, my.parts->interval, caf::get_atom_v)
      .then(
          [my, promise](const link_status& link) mutable {
            auto said = my.state().status;
            said.name = link.peer;
            said.state = link.state == link_state::up     ? "up"
                         : link.state == link_state::down ? "down"
                                                          : "connecting";
            if (link.state != link_state::up) said.last_error = link.last_error;
            promise.deliver(said);
          },
          [my, promise](const caf::error&) mutable { promise.deliver(my.state().status); });
  return promise;
}

}  // namespace

hub_peer::behavior_type make_hub_peer(self_pointer self, peer_parts parts) {
  const shell my{self, std::make_shared<const peer_parts>(std::move(parts))};
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  my.state().status.address = my.parts->address;
  my.state().ticking = true;
  self->send(self, caf::tick_atom_v);
  return {
      [=](const trace_added& news) {
        if (!my.state().theirs.contains(news.id)) my.state().to_send.push_back(news.id);
        if (my.state().listed) go_on(my);
      },
      [](const order_learned&) {},  // each hub learns for itself
      [=](caf::get_atom) { return report(my); },
      [=](caf::tick_atom) {
        my.state().ticking = false;
        go_on(my);
      },
  };
}

}  // namespace firstlight
