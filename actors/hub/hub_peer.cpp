#include "actors/hub/hub_peer.hpp"

#include <utility>

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

/// What has failed is tried again then.
void tick_later(const shell& my) {
  if (std::exchange(my.state().ticking, true)) return;
  my.self->delayed_send(my.self, my.parts->interval, caf::tick_atom_v);
}

void note_exchange(const shell& my) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(my.parts->now());
  my.state().status.exchanged_at = now.count();
}

// ---- what the other hub has --------------------------------------------------------------------

void start_anew(const shell& my, std::uint64_t epoch) {
  auto& state = my.state();
  state.epoch = epoch;
  state.position = 0;
  state.listed = false;
  state.theirs.clear();
  state.fetched.queue.clear();
  state.sent.queue.clear();
  state.left_out = false;
}

/// Once all ids of the other hub are known.
result<void> send_what_they_lack(const shell& my) {
  const auto own = my.parts->traces.stamps();
  if (!own) return tl::unexpected(own.error());
  for (const auto& [image, traces] : *own)
    for (const auto& one : traces)
      if (!my.state().theirs.contains(one.id)) my.state().sent.queue.push_back(one.id);
  my.state().listed = true;
  return {};
}

/// What another hub lists costs memory here. Nothing more is asked of it until the next tick; what is on the
/// way goes on.
result<void> note_ids(const shell& my, const ids_answer& answer) {
  auto& state = my.state();
  if (!answer.last && answer.position <= state.position)
    return fail(errc::protocol, "the other hub does not come to the end of its traces");
  for (const auto& id : answer.ids) {
    if (state.theirs.size() >= my.parts->known_max && !state.theirs.contains(id))
      return fail(errc::limit_exceeded,
                  "peer_known_max: the other hub lists more traces than are compared; remove it from the "
                  "peers, or raise learning.peer_known_max");
    if (state.theirs.insert(id).second) state.fetched.queue.push_back(id);
  }
  state.position = answer.position;
  return {};
}

void ask_later(const shell& my) {
  my.state().asks_later = true;
  tick_later(my);
}

void note_unanswered(const shell& my, const error& why) {
  my.state().in_touch = false;
  my.state().status.last_error = to_string(why);
  ask_later(my);
}

void take_ids(const shell& my, const ids_answer& answer) {
  auto& state = my.state();
  if (answer.epoch != state.epoch) start_anew(my, answer.epoch);
  if (auto noted = note_ids(my, answer); !noted) return note_unanswered(my, noted.error());
  if (answer.last && !state.listed)
    if (auto listed = send_what_they_lack(my); !listed) return note_unanswered(my, listed.error());
  state.status.last_error.clear();
  note_exchange(my);
  // A hub of an earlier version does not wait, nor does one that already keeps many waiting.
  const bool too_soon = my.self->clock().now() - state.asked_at < my.parts->interval;
  if (std::exchange(state.in_touch, true) && answer.ids.empty() && too_soon) ask_later(my);
}

/// The first answer after a failure comes at once: it tells how things stand.
ids_question next_question(const shell& my) {
  const auto& state = my.state();
  return {state.epoch, state.position, state.in_touch ? my.parts->wait : std::chrono::milliseconds(0)};
}

void ask_ids(const shell& my) {
  if (my.state().asks_later || std::exchange(my.state().asking, true)) return;
  my.state().asked_at = my.self->clock().now();
  const auto question = share(encode_inquiry(next_question(my)));
  my.self->request(my.parts->link, caf::infinite, peer_question{question})
      .then(
          [my](const peer_answer& answer) {
            my.state().asking = false;
            const auto reply = decode_reply(answer.encoded.bytes);
            const auto* ids = reply ? std::get_if<ids_answer>(&*reply) : nullptr;
            if (ids == nullptr)
              note_unanswered(my, {errc::protocol, "the other hub answers something else"});
            else
              take_ids(my, *ids);
            go_on(my);
          },
          [my](const caf::error& problem) {
            my.state().asking = false;
            note_unanswered(my, from_caf(problem));
          });
}

// ---- exchange ----------------------------------------------------------------------------------

/// The next trace of a lane that may be begun; it counts as under way from now on.
std::optional<trace_id> begin_next(const shell& my, peer_lane& lane) {
  while (!lane.pauses && !lane.queue.empty() && lane.under_way.size() < my.parts->calls_max) {
    const auto id = lane.queue.front();
    lane.queue.pop_front();
    if (lane.under_way.insert(id).second) return id;
  }
  return std::nullopt;
}

/// A trace is there, gone, or refused for good; after another failure it is tried again, behind the others.
void end(const shell& my, peer_lane& lane, const trace_id& id, const std::optional<error>& failure = {}) {
  lane.under_way.erase(id);
  if (!failure) return;
  my.state().status.last_error = to_string(*failure);
  if (refused_for_good(failure->code)) return;
  lane.queue.push_back(id);
  lane.pauses = true;
  tick_later(my);
}

void end_and_go_on(const shell& my, peer_lane& lane, const trace_id& id,
                   const std::optional<error>& failure = {}) {
  end(my, lane, id, failure);
  go_on(my);
}

void keep(const shell& my, const trace_id& id, const std::vector<std::byte>& encoded) {
  auto& lane = my.state().fetched;
  note_exchange(my);
  if (encoded.empty()) return end_and_go_on(my, lane, id);
  my.self->request(my.parts->aggregator, caf::infinite, trace_report{share(encoded), {}})
      .then(
          [my, &lane, id](trace_kept) {
            ++my.state().status.traces_fetched;
            end_and_go_on(my, lane, id);
          },
          [my, &lane, id](const caf::error& problem) { end_and_go_on(my, lane, id, from_caf(problem)); });
}

void fetch(const shell& my, const trace_id& id) {
  auto& lane = my.state().fetched;
  my.self->request(my.parts->link, caf::infinite, peer_question{share(encode_inquiry(trace_question{id}))})
      .then(
          [my, &lane, id](const peer_answer& answer) {
            const auto reply = decode_reply(answer.encoded.bytes);
            const auto* one = reply ? std::get_if<trace_answered>(&*reply) : nullptr;
            if (one != nullptr) return keep(my, id, one->encoded);
            end_and_go_on(my, lane, id, error{errc::protocol, "the other hub answers something else"});
          },
          [my, &lane, id](const caf::error& problem) { end_and_go_on(my, lane, id, from_caf(problem)); });
}

void send(const shell& my, const trace& recorded) {
  auto& lane = my.state().sent;
  my.self->request(my.parts->link, caf::infinite, trace_report{share(encode_trace(recorded)), {}})
      .then(
          [my, &lane, id = recorded.id](trace_kept) {
            ++my.state().status.traces_sent;
            my.state().theirs.insert(id);
            note_exchange(my);
            end_and_go_on(my, lane, id);
          },
          [my, &lane, id = recorded.id](const caf::error& problem) {
            end_and_go_on(my, lane, id, from_caf(problem));
          });
}

/// Fetches traces that this hub has never had.
void fetch_more(const shell& my) {
  auto& lane = my.state().fetched;
  while (const auto id = begin_next(my, lane)) {
    const auto known = my.parts->traces.knows(*id);
    if (known && !*known)
      fetch(my, *id);
    else
      end(my, lane, *id, known ? std::nullopt : std::optional(known.error()));
  }
}

/// Sends traces that are still here.
void send_more(const shell& my) {
  auto& lane = my.state().sent;
  while (const auto id = begin_next(my, lane)) {
    if (my.state().theirs.contains(*id)) {
      end(my, lane, *id);
      continue;
    }
    const auto recorded = my.parts->traces.find(*id);
    if (recorded && *recorded)
      send(my, **recorded);
    else
      end(my, lane, *id, recorded ? std::nullopt : std::optional(recorded.error()));
  }
}

/// Once the queue has been sent: what did not fit into it.
void queue_left_out(const shell& my) {
  auto& state = my.state();
  auto& lane = state.sent;
  if (!state.left_out || lane.pauses || !lane.queue.empty() || !lane.under_way.empty()) return;
  const auto listed = send_what_they_lack(my);
  state.left_out = lane.pauses = !listed;
  if (listed) return;
  state.status.last_error = to_string(listed.error());
  tick_later(my);
}

/// Some of what the other hub has may come again: all of it is looked through once more.
void look_again(const shell& my) {
  auto& state = my.state();
  const auto returns = my.parts->traces.returns();
  if (std::exchange(state.returns, returns) == returns) return;
  state.fetched.queue.insert(state.fetched.queue.end(), state.theirs.begin(), state.theirs.end());
}

/// Begins what can be begun. What fails in one direction does not hold up the other.
void go_on(const shell& my) {
  look_again(my);
  fetch_more(my);
  send_more(my);
  queue_left_out(my);
  send_more(my);
  ask_ids(my);
}

void note_added(const shell& my, const trace_id& id) {
  auto& state = my.state();
  if (!state.listed) return;  // `send_what_they_lack` will find it
  if (state.sent.queue.size() >= my.parts->unsent_max) {
    state.left_out = true;
    return;
  }
  state.sent.queue.push_back(id);
  go_on(my);
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
        auto& state = my.state();
        state.ticking = state.asks_later = state.fetched.pauses = state.sent.pauses = false;
        go_on(my);
      },
  };
}

}  // namespace firstlight
