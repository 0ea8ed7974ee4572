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

void start_anew(const shell& my, std::uint64_t epoch) {
  auto& state = my.state();
  state.epoch = epoch;
  state.position = 0;
  state.listed = false;
  state.theirs.clear();
  state.to_fetch.clear();
  state.to_send.clear();
}

/// Once all ids of the other hub are known.
result<void> send_what_they_lack(const shell& my) {
  const auto own = my.parts->traces.stamps();
  if (!own) return tl::unexpected(own.error());
  for (const auto& [image, traces] : *own)
    for (const auto& one : traces)
      if (!my.state().theirs.contains(one.id)) my.state().to_send.push_back(one.id);
  my.state().listed = true;
  return {};
}

/// What another hub lists costs memory here. Nothing more is asked of it in this round; what is on the way
/// goes on.
result<void> note_ids(const shell& my, const ids_answer& answer) {
  auto& state = my.state();
  if (!answer.last && answer.position <= state.position)
    return fail(errc::protocol, "the other hub does not come to the end of its traces");
  for (const auto& id : answer.ids) {
    if (state.theirs.size() >= my.parts->known_max && !state.theirs.contains(id))
      return fail(errc::limit_exceeded,
                  "peer_known_max: the other hub lists more traces than are compared; remove it from the "
                  "peers, or raise learning.peer_known_max");
    if (state.theirs.insert(id).second) state.to_fetch.push_back(id);
  }
  state.position = answer.position;
  return {};
}

void take_ids(const shell& my, const ids_answer& answer) {
  auto& state = my.state();
  if (answer.epoch != state.epoch) start_anew(my, answer.epoch);
  if (auto noted = note_ids(my, answer); !noted) return note_failure(my, noted.error());
  if (answer.last && !state.listed)
    if (auto listed = send_what_they_lack(my); !listed) return note_failure(my, listed.error());
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

/// The trace at the front is tried again after the others.
void try_later(const shell& my, std::deque<trace_id>& queue, const error& why) {
  queue.push_back(queue.front());
  queue.pop_front();
  note_failure(my, why);
}

/// The trace at the front is settled: it is there, gone, or refused for good.
void settle(const shell& my, std::deque<trace_id>& queue, const std::optional<error>& refusal = {}) {
  queue.pop_front();
  my.state().busy = false;
  if (refusal) my.state().status.last_error = to_string(*refusal);
  go_on(my);
}

void take_trace(const shell& my, const std::vector<std::byte>& encoded) {
  auto& queue = my.state().to_fetch;
  if (encoded.empty()) return settle(my, queue);
  my.state().busy = true;
  my.self->request(my.parts->aggregator, caf::infinite, trace_report{share(encoded), {}})
      .then(
          [my, &queue](trace_kept) {
            ++my.state().status.traces_fetched;
            settle(my, queue);
          },
          [my, &queue](const caf::error& problem) {
            const auto why = from_caf(problem);
            refused_for_good(why.code) ? settle(my, queue, why) : try_later(my, queue, why);
          });
}

void fetch_front(const shell& my) {
  auto& queue = my.state().to_fetch;
  my.state().busy = true;
  my.self
      ->request(my.parts->link, caf::infinite,
                peer_question{share(encode_inquiry(trace_question{queue.front()}))})
      .then(
          [my, &queue](const peer_answer& answer) {
            const auto reply = decode_reply(answer.encoded.bytes);
            const auto* one = reply ? std::get_if<trace_answered>(&*reply) : nullptr;
            if (one == nullptr)
              return try_later(my, queue, {errc::protocol, "the other hub answers something else"});
            take_trace(my, one->encoded);
          },
          [my, &queue](const caf::error& problem) { try_later(my, queue, from_caf(problem)); });
}

void send_front(const shell& my, const trace& recorded) {
  auto& queue = my.state().to_send;
  my.state().busy = true;
  my.self->request(my.parts->link, caf::infinite, trace_report{share(encode_trace(recorded)), {}})
      .then(
          [my, &queue, id = recorded.id](trace_kept) {
            ++my.state().status.traces_sent;
            my.state().theirs.insert(id);
            settle(my, queue);
          },
          [my, &queue](const caf::error& problem) {
            const auto why = from_caf(problem);
            refused_for_good(why.code) ? settle(my, queue, why) : try_later(my, queue, why);
          });
}

/// Fetches the next trace that this hub has never had. @returns whether something was begun
bool fetch_next(const shell& my) {
  auto& queue = my.state().to_fetch;
  for (; !queue.empty(); queue.pop_front()) {
    const auto known = my.parts->traces.knows(queue.front());
    if (!known) return try_later(my, queue, known.error()), true;
    if (!*known) return fetch_front(my), true;
  }
  return false;
}

/// Sends the next trace that is still here. @returns whether something was begun
bool send_next(const shell& my) {
  auto& state = my.state();
  for (; state.listed && !state.to_send.empty(); state.to_send.pop_front()) {
    if (state.theirs.contains(state.to_send.front())) continue;
    const auto recorded = my.parts->traces.find(state.to_send.front());
    if (!recorded) return try_later(my, state.to_send, recorded.error()), true;
    if (*recorded) return send_front(my, **recorded), true;
  }
  return false;
}

/// Both directions take turns, so that what fails in one does not hold up the other.
void go_on(const shell& my) {
  auto& state = my.state();
  if (state.busy) return;
  state.sends = !state.sends;
  if (state.sends ? send_next(my) || fetch_next(my) : fetch_next(my) || send_next(my)) return;
  ask_ids(my);
}

/// A peer that is away for long is compared with from the beginning.
void note_added(const shell& my, const trace_id& id) {
  auto& state = my.state();
  if (!state.listed) return;  // `send_what_they_lack` will find it
  if (state.to_send.size() >= my.parts->unsent_max) {
    state.to_send.resize(1);  // the first is being sent perhaps
    state.listed = false;
    state.position = 0;
    return;
  }
  state.to_send.push_back(id);
  if (!state.ticking) go_on(my);
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
      [=](const trace_added& news) { note_added(my, news.id); },
      [](const order_learned&) {},  // each hub learns for itself
      [=](caf::get_atom) { return report(my); },
      [=](caf::tick_atom) {
        my.state().ticking = false;
        go_on(my);
      },
  };
}

}  // namespace firstlight
