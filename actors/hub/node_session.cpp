#include "actors/hub/node_session.hpp"

#include <spdlog/spdlog.h>

#include <cmath>

#include "actors/hub/build_order.hpp"
#include "actors/hub/hub_reports.hpp"
#include "actors/hub/joint_deliveries.hpp"

namespace firstlight {
namespace {

using self_pointer = reporting_session::stateful_pointer<session_state>;

/// What every step of a session needs; cheap to copy into continuations.
struct shell {
  self_pointer self;
  std::string host;
  node_link link;
  std::shared_ptr<const session_tools> tools;

  [[nodiscard]] session_state& state() const { return self->state; }
  [[nodiscard]] instant now() const { return self->clock().now(); }
};

void pump(const shell& my);

running_delivery* find(const shell& my, std::uint64_t id) {
  const auto entry = my.state().deliveries.find(id);
  return entry == my.state().deliveries.end() ? nullptr : &entry->second;
}

// ---- the window --------------------------------------------------------------------------------

void try_later(const shell& my) {
  my.self->delayed_send(my.self, my.tools->limits.warmup.start_after, caf::tick_atom_v);
}

/// What the warm-up has measured serves whoever comes now.
void leave_warmup(const shell& my) {
  auto& state = my.state();
  state.warmup_turn.reset();
  state.credit.seed(state.warmup->bytes_per_second(), state.warmup->round_trip(), my.now());
  if (state.warmup->conclusive()) state.credit.settle();
}

/// Padding would stand before what a neighbour on the same link is sent: it is gone on with when that is
/// done.
bool yields(const shell& my) {
  auto& state = my.state();
  if (state.warmup->over() || !my.tools->turns->in_use(my.host)) return false;
  state.warmup->stop();
  leave_warmup(my);
  state.warmup.reset();
  try_later(my);
  return true;
}

void warm(const shell& my) {
  const auto warmup = my.state().warmup;
  if (!warmup || yields(my)) return;
  while (const auto bytes = warmup->next(my.now())) {
    my.state().totals.padding_bytes += *bytes;
    my.self->request(my.link, caf::infinite, outgoing_padding{*bytes})
        .then(
            [my, warmup, bytes = *bytes](const delivered& answer) {
              warmup->answered(bytes, answer.elapsed, my.now());
              my.state().credit.seed(answer.bandwidth, answer.round_trip, my.now());
              warm(my);
            },
            [warmup](const caf::error&) { warmup->stop(); });
  }
  if (warmup->over()) leave_warmup(my);
}

void attached(const shell& my, const bulk_attached& news) {
  my.state().totals.bulk = news;
  my.state().credit.seed(0, news.round_trip, my.now());
  if (my.state().warmup || !my.state().deliveries.empty()) return;
  try_later(my);
}

/// Padding would stand before the first table of contents: not when a pull has come meanwhile.
void start_warmup(const shell& my) {
  if (my.state().warmup) return;
  my.state().warmup_turn = my.tools->turns->take(my.host);
  if (!my.state().warmup_turn) return try_later(my);
  my.state().warmup = std::make_shared<warmup>(my.tools->limits.warmup, my.now());
  warm(my);
}

/// Useful bytes take over from padding: from the moment that they are asked for.
void end_warmup(const shell& my) {
  auto& mine = my.state().warmup;
  if (!mine) mine = std::make_shared<warmup>(my.tools->limits.warmup, my.now());
  if (mine->over()) return;
  mine->stop();
  leave_warmup(my);
}

// ---- segments ----------------------------------------------------------------------------------

void conclude(const shell& my, std::uint64_t id);

/// Whoever has borrowed from it is told to look whether all has come: the node asks again for what has not.
bool end_delivery(const shell& my, std::uint64_t id) {
  auto& deliveries = my.state().deliveries;
  if (!deliveries.contains(id)) return false;
  const auto borrowers = borrowers_of(deliveries, id);
  deliveries.erase(id);
  for (const auto other : borrowers) conclude(my, other);
  return true;
}

/// The node is told that nothing more comes, so that its readers do not wait for ever.
void give_up(const shell& my, std::uint64_t id, const error& why) {
  if (!end_delivery(my, id)) return;
  spdlog::error("delivery {} to {} ends: {}", id, my.state().totals.node, to_string(why));
  my.self->send(my.link, outgoing_landmark{id, landmark::given_up});
}

void conclude(const shell& my, std::uint64_t id) {
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
  completed.emplace_back(lender_of(id, *running), my.now());
  if (completed.size() > my.tools->limits.joint.completed_kept_max) completed.pop_front();
  end_delivery(my, id);
}

void note_answer(const shell& my, std::uint64_t id, std::uint32_t sequence, const planned_segment& sent,
                 const std::optional<error>& failure) {
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

/// Takes credit for what leaves now; `answered` gives it back, `received` what of it belongs to the link.
std::uint64_t take_credit(const shell& my, const part_received& part, std::uint64_t bytes) {
  auto& state = my.state();
  state.credit.sent(++state.token, bytes, my.now());
  state.on_link.insert_or_assign(part, state.token);
  state.totals.wire_bytes += bytes;
  return state.token;
}

void received(const shell& my, const part_received& part) {
  const auto found = my.state().on_link.extract(part);
  if (found) my.state().credit.received(found.mapped(), my.now());
}

void answered(const shell& my, const part_received& part, std::uint64_t token) {
  my.state().on_link.erase(part);
  my.state().credit.answered(token, my.now());
}

void send(const shell& my, std::uint64_t id, segment built) {
  auto* running = find(my, id);
  if (running == nullptr) return;  // cancelled while it was built
  const auto bytes = built.frame.bytes.size();
  const auto sequence = built.sequence;
  const part_received part{id, sequence};
  const auto token = take_credit(my, part, bytes);
  const auto sent = std::make_shared<const planned_segment>(planned_segment{built.runs, 0, built.patch_base});
  running->wire_bytes += bytes;
  my.self->request(my.link, caf::infinite, outgoing_segment{id, std::move(built)})
      .then(
          [=](const delivered& answer) {
            answered(my, part, token);
            note_answer(my, id, sequence, *sent, answer.answer.failure);
            pump(my);
          },
          [=](const caf::error& problem) {  // the link is gone, and this session with it
            answered(my, part, token);
            give_up(my, id, from_caf(problem));
          });
}

/// What a reader waits for goes first.
void keep(const shell& my, built_segment ready, bool out_of_turn) {
  auto& built = my.state().built;
  built.insert(out_of_turn ? built.begin() : built.end(), std::move(ready));
}

void build(const shell& my, std::uint64_t id, const running_delivery& running,
           const delivery::outgoing& next) {
  ++my.state().building;
  run_on(
      my.tools->builders.next(), my.self,
      [tools = my.tools, order = order_for(running, next)] { return carry_out(tools->builder, order); },
      [my, id, out_of_turn = next.out_of_turn](result<segment> built) {
        --my.state().building;
        if (built)
          keep(my, {id, std::move(*built)}, out_of_turn);
        else
          give_up(my, id, built.error());
        pump(my);
      });
}

/// Tells the link when the pace has changed by more than its measurement varies.
void keep_pace(const shell& my) {
  constexpr double noticeable = 0.02;
  auto& told = my.state().pace;
  const auto pace = my.state().credit.pace();
  if (told.has_value() == pace.has_value() &&
      std::abs(pace.value_or(0) - told.value_or(0)) <= noticeable * told.value_or(0))
    return;
  told = pace;
  my.self->send(my.link, outgoing_pace{pace});
}

/// Building ahead of the credit keeps the link full; too far ahead, wants would have less to overtake.
bool may_build(const shell& my) {
  const auto& state = my.state();
  const auto ahead = state.building + state.built.size();
  const auto ahead_max = my.tools->limits.delivery.builds_ahead_max;
  if (ahead < ahead_max) return true;
  const bool wanted = std::any_of(state.deliveries.begin(), state.deliveries.end(),
                                  [](const auto& each) { return each.second.core.wanted(); });
  return wanted && ahead < 2 * ahead_max;
}

/// What a start is about to read goes first, of whichever delivery; else they take turns, so that none
/// starves.
bool serve_one(const shell& my) {
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

void pump(const shell& my) {
  auto& state = my.state();
  keep_pace(my);
  while (!state.built.empty() && state.credit.may_send()) {
    auto first = std::move(state.built.front());
    state.built.pop_front();
    send(my, first.delivery, std::move(first.data));
  }
  while (may_build(my) && serve_one(my)) {
  }
  if (state.building == 0 && state.built.empty()) state.credit.nothing_to_send();
}

// ---- deliveries --------------------------------------------------------------------------------

void send_toc(const shell& my, const pull_request& request, toc_frame toc) {
  const auto id = request.delivery;
  spdlog::info("delivery {} of {} to {}: {} of the table of contents {} bytes", id, request.reference,
               my.state().totals.node, toc.part == toc_part::tree ? "tree" : "contents",
               toc.frame.bytes.size());
  const part_received part{id, toc.part};
  const auto token = take_credit(my, part, toc.frame.bytes.size());
  my.self->request(my.link, caf::infinite, outgoing_toc{id, std::move(toc)})
      .then(
          [=](const delivered& answer) {
            answered(my, part, token);
            if (answer.answer.failure) give_up(my, id, *answer.answer.failure);
            pump(my);
          },
          [=](const caf::error& problem) { give_up(my, id, from_caf(problem)); });
}

/// Plans what has not left anew.
void reorder(const shell& my, std::uint64_t id) {
  auto& deliveries = my.state().deliveries;
  deliveries.at(id).core.reorder(joint_order(deliveries, id));
}

/// Makes a delivery part of the joint bundle: what it has borrowed comes as early as its start needs it.
void join(const shell& my, std::uint64_t id, const std::map<toc_id, std::chrono::milliseconds>& offsets) {
  auto& deliveries = my.state().deliveries;
  for (auto& [other, running] : deliveries)
    if (const auto known = offsets.find(running.image.record.toc); known != offsets.end())
      running.offset = known->second;
  for (const auto from : lenders_of(deliveries, id)) reorder(my, from);
}

void learn(const shell& my, const order_learned& news) {
  auto& deliveries = my.state().deliveries;
  if (const auto meanwhile = my.state().meanwhile.lock()) meanwhile->insert_or_assign(news.toc, news.order);
  std::set<std::uint64_t> changed;
  for (auto& [id, running] : deliveries) {
    if (running.image.record.toc != news.toc) continue;
    running.image.order = news.order;
    changed.insert(id);
    changed.merge(lenders_of(deliveries, id));
  }
  for (const auto id : changed) reorder(my, id);
}

pull_started start(const shell& my, const pull_under_way& pull, const known_image& image,
                   const prepared_delivery& prepared) {
  const auto& request = pull.request;
  const auto id = request.delivery;
  running_delivery running{.core = {prepared.plan, prepared.contents, image.toc->geometry(),
                                    my.tools->limits.cut, my.tools->limits.delivery},
                           .image = image,
                           .contents = prepared.contents,
                           .borrowed = prepared.borrowed,
                           .offset = {},
                           .platform = request.platform,
                           .in_use = pull.in_use,
                           .segments_total = prepared.started.segments,
                           .wire_bytes = 0,
                           .since = my.now()};
  my.state().deliveries.insert_or_assign(id, std::move(running));
  join(my, id, prepared.offsets);
  if (const auto news = pull.learned->find(image.record.toc); news != pull.learned->end())
    learn(my, {news->first, news->second});
  spdlog::info("delivery {} of {} to {}: {} segments", id, image.record.reference, my.state().totals.node,
               prepared.started.segments);
  conclude(my, id);  // a node that has everything gets its landmarks at once
  pump(my);
  return prepared.started;
}

/// All that run, and those that have ended since the node looked up what it has.
std::vector<lender> lenders_for(const shell& my, const pull_under_way& pull) {
  auto lenders = lenders_among(my.state().deliveries);
  for (const auto& [one, ended] : my.state().completed)
    if (ended + my.tools->limits.joint.request_age_max >= pull.arrived) lenders.push_back(one);
  return lenders;
}

/// One at a time, so that each knows what those before it bring.
void plan_next(const shell& my) {
  auto& state = my.state();
  if (state.planning || state.to_plan.empty()) return;
  state.planning = true;
  auto [pull, image] = std::move(state.to_plan.front());
  state.to_plan.pop_front();
  run_on(
      my.tools->planners.next(), my.self,
      [tools = my.tools, image = image, request = pull.request, lenders = lenders_for(my, pull)] {
        return result<prepared_delivery>(prepare_delivery(tools->preparation, image, request, lenders));
      },
      [my, pull = pull, image = image](const result<prepared_delivery>& prepared) mutable {
        my.state().planning = false;
        if (prepared)
          pull.reply.deliver(start(my, pull, image, *prepared));
        else
          pull.reply.deliver(to_caf(prepared.error()));
        plan_next(my);
      });
}

/// First the TOC, so that the node can mount while the hub plans.
void begin(const shell& my, const pull_under_way& pull, const known_image& image) {
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  run_on(
      my.tools->planners.next(), my.self,
      [tools = my.tools, image, request = pull.request, now] {
        return prepare_toc(tools->preparation, image, request, now);
      },
      [my, pull = pull, image](result<std::vector<toc_frame>> toc) mutable {
        if (!toc) {
          pull.reply.deliver(to_caf(toc.error()));
          return;
        }
        for (auto& part : *toc) send_toc(my, pull.request, std::move(part));
        my.state().to_plan.emplace_back(pull, image);
        plan_next(my);
      });
}

void take_want(const shell& my, const want& wanted) {
  auto& deliveries = my.state().deliveries;
  if (!deliveries.contains(wanted.delivery)) return;  // it has just ended
  for (const auto& [id, runs] : route_wants(deliveries, wanted.delivery, wanted.runs))
    if (auto noted = deliveries.at(id).core.want(runs, wanted.how); !noted)
      spdlog::warn("{} wants what cannot be: {}", my.state().totals.node, to_string(noted.error()));
  pump(my);
}

std::shared_ptr<orders_meanwhile> meanwhile(const shell& my) {
  auto orders = my.state().meanwhile.lock();
  if (!orders) my.state().meanwhile = orders = std::make_shared<orders_meanwhile>();
  return orders;
}

/// What is under way goes on while the hub drains.
result<void> may_pull(const shell& my, const pull_request& request, bool is_hub) {
  if (is_hub) return fail(errc::denied, "this certificate is not a node's");
  const bool drains = my.tools->draining && *my.tools->draining && !request.toc;
  return drains ? fail(errc::unavailable, "the hub drains and takes no new pulls") : result<void>();
}

session_report report_of(const shell& my) {
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
  const shell my{self, std::move(who.host), std::move(link),
                 std::make_shared<const session_tools>(std::move(tools))};
  return {
      [=](const pull_request& request, const pull_listener& listener) -> caf::result<pull_started> {
        if (auto allowed = may_pull(my, request, is_hub); !allowed) return to_caf(allowed.error());
        end_warmup(my);
        pull_under_way pull{request, meanwhile(my), my.tools->turns->use(my.host), my.now(),
                            self->make_response_promise<pull_started>()};
        self->request(my.tools->library, caf::infinite,
                      resolve_image{request.reference, request.platform, {}, request.delivery, request.toc},
                      listener)
            .then([=](const known_image& image) { begin(my, pull, image); },
                  [=](caf::error& problem) mutable { pull.reply.deliver(std::move(problem)); });
        return pull.reply;
      },
      [=](const want& wanted) { take_want(my, wanted); },
      [=](const cancel_delivery& which) {
        end_delivery(my, which.delivery);
        pump(my);
      },
      [=](const bulk_attached& news) { attached(my, news); },
      [=](const trace_report& report) -> caf::result<trace_kept> {
        // A hub passes on what nodes have told it; a node speaks for itself.
        return self->delegate(my.tools->traces,
                              trace_report{report.encoded, is_hub ? "" : self->state.totals.node});
      },
      [=](const peer_question& question) -> caf::result<peer_answer> {
        if (!is_hub) return to_caf({errc::denied, "only hubs may ask for traces"});
        return self->delegate(my.tools->traces, question);
      },
      [=](const order_learned& news) { learn(my, news); },
      [=](const part_received& part) {
        received(my, part);
        pump(my);
      },
      [=](caf::tick_atom) { start_warmup(my); },
      [=](caf::get_atom) { return report_of(my); },
  };
}

}  // namespace firstlight
