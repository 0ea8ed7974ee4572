#include "actors/hub/node_session.hpp"

#include <spdlog/spdlog.h>

#include <cmath>

#include "actors/hub/build_order.hpp"
#include "actors/hub/hub_reports.hpp"
#include "actors/hub/joint_deliveries.hpp"
#include "actors/hub/session_shell.hpp"

namespace firstlight {

namespace detail {

bool end_delivery(const session_shell& my, std::uint64_t id) {
  auto& deliveries = my.state().deliveries;
  if (!deliveries.contains(id)) return false;
  const auto borrowers = borrowers_of(deliveries, id);
  deliveries.erase(id);
  for (const auto other : borrowers) conclude(my, other);
  return true;
}

void give_up(const session_shell& my, std::uint64_t id, const error& why) {
  if (!end_delivery(my, id)) return;
  spdlog::error("delivery {} to {} ends: {}", id, my.state().totals.node, to_string(why));
  my.self->send(my.link, outgoing_landmark{id, landmark::given_up});
}

void conclude(const session_shell& my, std::uint64_t id) {
  auto* running = find(my, id);
  if (running == nullptr) return;
  if (running->core.done() && !lenders_of(my.state().deliveries, id).empty()) return;  // they bring the rest
  for (const auto mark : running->core.take_landmarks()) my.self->send(my.link, outgoing_landmark{id, mark});
  if (!running->core.done()) return;
  const auto abandoned = running->core.counters().blocks_abandoned;
  if (abandoned > 0)
    return give_up(
        my, id,
        {errc::corrupt, std::to_string(abandoned) + " blocks were refused each time that they were sent"});
  auto& completed = my.state().completed;
  completed.push_back(lender_of(id, *running));
  if (completed.size() > my.tools->limits.joint.completed_kept_max) completed.pop_front();
  end_delivery(my, id);
}

std::uint64_t take_credit(const session_shell& my, const part_received& part, std::uint64_t bytes) {
  auto& state = my.state();
  state.credit.sent(++state.token, bytes, my.now());
  state.on_link.insert_or_assign(part, state.token);
  state.totals.wire_bytes += bytes;
  return state.token;
}

void answered(const session_shell& my, const part_received& part, std::uint64_t token) {
  my.state().on_link.erase(part);
  my.state().credit.answered(token, my.now());
}

namespace {

void note_answer(const session_shell& my, std::uint64_t id, std::uint32_t sequence,
                 const planned_segment& sent, const std::optional<error>& failure) {
  auto* running = find(my, id);
  if (running == nullptr) return;
  if (failure)
    spdlog::warn("{} refused segment {} of delivery {}: {}", my.state().totals.node, sequence, id,
                 to_string(*failure));
  // What was wrong may have come from this side's disk: it is not sent once more as it was kept.
  if (failure && failure->code == errc::corrupt) my.tools->builder.distrust(sent, *running->contents);
  if (failure && !worth_repeating(failure->code)) return give_up(my, id, *failure);
  const auto how = failure ? delivery::answer::failed : delivery::answer::stored;
  if (auto noted = running->core.answered(sequence, how); !noted) return give_up(my, id, noted.error());
  conclude(my, id);
}

void received(const session_shell& my, const part_received& part) {
  const auto found = my.state().on_link.extract(part);
  if (found) my.state().credit.received(found.mapped(), my.now());
}

void send(const session_shell& my, std::uint64_t id, segment built) {
  auto* running = find(my, id);
  if (running == nullptr) return;  // cancelled while it was built
  const auto bytes = built.frame.bytes.size();
  const auto sequence = built.sequence;
  const part_received part{id, sequence};
  const auto token = take_credit(my, part, bytes);
  const auto sent = std::make_shared<const planned_segment>(planned_segment{built.runs, 0, built.patch_base});
  running->wire_bytes += bytes;
  running->rate.add(bytes, my.now());
  my.self->request(my.link, caf::infinite, outgoing_segment{id, std::move(built)})
      .then(
          [=](const delivered& answer) {
            answered(my, part, token);
            my.state().credit.packet_round_trip(answer.round_trip);
            note_answer(my, id, sequence, *sent, answer.answer.failure);
            pump(my);
          },
          [=](const caf::error& problem) {  // mostly the link is gone, and this session with it
            answered(my, part, token);
            give_up(my, id, from_caf(problem));
            pump(my);
          });
}

void build(const session_shell& my, std::uint64_t id, const running_delivery& running,
           const delivery::outgoing& next) {
  using queue = sending_queue<built_segment>;
  const auto place = my.state().ahead.begin(next.out_of_turn ? queue::row::wanted : queue::row::planned);
  run_on(
      my.tools->builders.next(), my.self,
      [tools = my.tools, order = order_for(running, next)] { return carry_out(tools->builder, order); },
      [my, id, place](result<segment> built) {
        if (built) {
          built->out_of_turn = place.in == queue::row::wanted;
          my.state().ahead.fill(place, {id, std::move(*built)});
        } else {
          my.state().ahead.give_back(place);
          give_up(my, id, built.error());
        }
        pump(my);
      });
}

/// Tells the link when the pace has changed by more than its measurement varies.
void keep_pace(const session_shell& my) {
  constexpr double noticeable = 0.02;
  auto& told = my.state().pace;
  const auto pace = my.state().credit.pace();
  if (told.has_value() == pace.has_value() &&
      std::abs(pace.value_or(0) - told.value_or(0)) <= noticeable * told.value_or(0))
    return;
  told = pace;
  my.self->send(my.link, outgoing_pace{pace});
}

/// Between two receipts the link carries on: what waits for credit may leave before the next one.
void flush_later(const session_shell& my) {
  auto& state = my.state();
  if (state.flush_is_due || !state.ahead.ready()) return;
  const auto wait = state.credit.may_send_in(my.now());
  if (!wait) return;
  using std::chrono::nanoseconds;
  constexpr nanoseconds least = std::chrono::milliseconds(1);   // at a gigabit: 125 kB
  constexpr nanoseconds most = std::chrono::milliseconds(100);  // what was reckoned may turn out wrong
  state.flush_is_due = true;
  my.self->delayed_send(my.self, std::clamp<nanoseconds>(*wait, least, most), caf::flush_atom_v);
}

/// Building ahead of the credit keeps the link full; too far ahead, wants would have less to overtake.
bool may_build(const session_shell& my) {
  const auto& state = my.state();
  const auto ahead = state.ahead.size();
  const auto ahead_max = my.tools->limits.delivery.builds_ahead_max;
  if (ahead < ahead_max) return true;
  const bool wanted = std::any_of(state.deliveries.begin(), state.deliveries.end(),
                                  [](const auto& each) { return each.second.core.wanted(); });
  return wanted && ahead < 2 * ahead_max;
}

/// What a start is about to read goes first, of whichever delivery; else they take turns, so that none
/// starves.
bool serve_one(const session_shell& my) {
  auto& state = my.state();
  for (const auto id : serving_order(state.deliveries, state.turn)) {
    auto& running = state.deliveries.at(id);
    auto next = running.core.next();
    if (!next) continue;
    state.turn = id;
    build(my, id, running, *next);
    return true;
  }
  return false;
}

}  // namespace

void pump(const session_shell& my) {
  auto& state = my.state();
  keep_pace(my);
  while (state.credit.may_send(my.now())) {
    auto first = state.ahead.take();
    if (!first) break;
    send(my, first->delivery, std::move(first->data));
  }
  while (may_build(my) && serve_one(my)) {
  }
  if (state.ahead.empty()) state.credit.nothing_to_send();
  flush_later(my);
}

}  // namespace detail

namespace {

using detail::session_shell;
using self_pointer = reporting_session::stateful_pointer<session_state>;

/// What is under way goes on while the hub drains.
result<void> may_pull(const session_shell& my, const pull_request& request, bool is_hub) {
  if (is_hub) return fail(errc::denied, "this certificate is not a node's");
  const bool drains = my.tools->draining && *my.tools->draining && !request.toc;
  return drains ? fail(errc::unavailable, "the hub drains and takes no new pulls") : result<void>();
}

session_report report_of(const session_shell& my) {
  auto report = my.state().totals;
  report.in_flight_bytes = my.state().credit.in_flight_bytes();
  report.window_bytes = my.state().credit.window_bytes();
  for (const auto& [id, running] : my.state().deliveries)
    report.deliveries.push_back(describe(id, running, my.now()));
  return report;
}

}  // namespace

reporting_session::behavior_type make_node_session(self_pointer self, session_peer who, node_link link,
                                                   session_tools tools) {
  self->state.credit = credit(tools.limits.credit);
  self->state.totals.node = std::move(who.node);
  self->state.totals.joined_at =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  const bool is_hub = who.is_hub;
  const session_shell my{self, std::move(who.host), std::move(link),
                         std::make_shared<const session_tools>(std::move(tools))};
  return {
      [=](const pull_request& request, const pull_listener& listener) -> caf::result<pull_started> {
        if (auto allowed = may_pull(my, request, is_hub); !allowed) return to_caf(allowed.error());
        return detail::take_pull(my, request, listener);
      },
      [=](const want& wanted) { detail::take_want(my, wanted); },
      [=](const cancel_delivery& which) {
        self->state.answering.erase(which.delivery);
        detail::end_delivery(my, which.delivery);
        detail::pump(my);
      },
      [=](const bulk_attached& news) { detail::attached(my, news); },
      [=](const trace_report& report) -> caf::result<trace_kept> {
        // A hub passes on what nodes have told it; a node speaks for itself.
        return self->delegate(my.tools->traces,
                              trace_report{report.encoded, is_hub ? "" : self->state.totals.node});
      },
      [=](const peer_question& question) -> caf::result<peer_answer> {
        if (!is_hub) return to_caf({errc::denied, "only hubs may ask for traces"});
        return self->delegate(my.tools->traces, question);
      },
      [=](const order_learned& news) { detail::learn(my, news); },
      [=](const part_received& part) {
        detail::received(my, part);
        detail::pump(my);
      },
      [=](caf::tick_atom) { detail::start_warmup(my); },
      [=](caf::flush_atom) {
        self->state.flush_is_due = false;
        detail::pump(my);
      },
      [=](caf::get_atom) { return report_of(my); },
  };
}

}  // namespace firstlight
