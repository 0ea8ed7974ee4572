#include <spdlog/spdlog.h>

#include "actors/node/receiver_shell.hpp"

namespace firstlight {
namespace {

using detail::adopt;
using detail::checkpoint;
using detail::conclude_by_count;
using detail::fail_delivery;
using detail::over;
using detail::receiver_shell;
using detail::rest_if_idle;
using detail::run_step;
using detail::tell_instances;
using detail::use_contents;
using detail::wake;
using self_pointer = image_receiver::stateful_pointer<receiver_state>;

void start_pull(const receiver_shell& my);

/// At once when the link was away; else the hub itself could not answer, and is given time.
void pull_again(const receiver_shell& my) {
  auto& state = my.state();
  if (state.report.phase != delivery_phase::waiting_for_link || state.pull_running) return;
  const auto next = state.pull_failed + my.tools->limits.retry_failed_after;
  if (my.now() >= next)
    start_pull(my);
  else
    state.pull_at = next;
}

void tick(const receiver_shell& my) {
  if (std::exchange(my.state().ticking, true)) return;
  my.self->delayed_send(my.self, my.tools->limits.progress_interval, caf::tick_atom_v);
}

void tell_observer(const receiver_shell& my) {
  if (my.tools->observer) caf::anon_send(my.tools->observer, delivery_ended{my.report(), my.self->address()});
}

void tell_start_sent(const receiver_shell& my) {
  if (my.tools->observer) caf::anon_send(my.tools->observer, start_sent{my.report().reference});
}

// ---- completion --------------------------------------------------------------------------------

void finish(const receiver_shell& my) {
  auto& state = my.state();
  my.tools->group->note(my.self->address(), 0);
  state.report.phase = delivery_phase::complete;
  state.report.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(my.now() - state.started);
  state.image->record.complete = true;
  tell_instances(my, image_complete{});
  for (auto& waiter : std::exchange(state.complete_waiters, {})) waiter.deliver(state.report);
  tell_observer(my);
}

/// What to do when contents are missing although all seemed to be there.
enum class if_incomplete : std::uint8_t { wait, pull_again };

void conclude(const receiver_shell& my, if_incomplete then) {
  run_step(
      my, my.tools->keepers.next(),
      [tools = my.tools, image = *my.state().image] { return make_complete(tools->images(), image); },
      [my, then](const result<bool>& complete) {
        if (over(my)) return;
        if (!complete) return fail_delivery(my, complete.error());
        if (*complete) return finish(my);
        if (then == if_incomplete::wait) return;
        if (++my.state().fruitless_completions > my.tools->limits.damaged_attempts_max)
          return fail_delivery(my,
                               {errc::protocol, "the hub says that all was sent, but contents are missing"});
        start_pull(my);
      });
}

// ---- pulling -----------------------------------------------------------------------------------

void wait_for_link(const receiver_shell& my) {
  my.report().phase = delivery_phase::waiting_for_link;
  my.self->request(my.tools->link, caf::infinite, caf::join_atom_v)
      .then(
          [my](const link_status&) {
            if (!over(my)) pull_again(my);
          },
          [my](const caf::error& problem) {
            if (over(my)) return;
            my.report().problem = to_string(from_caf(problem));
            wait_for_link(my);
          });
  rest_if_idle(my);
}

void on_started(const receiver_shell& my, const pull_started& started) {
  my.state().pull_running = false;
  auto& report = my.report();
  if (over(my)) {
    my.self->send(my.tools->link, cancel_delivery{report.delivery});
    return rest_if_idle(my);
  }
  report.bytes_total += started.delivered_bytes;
  report.segments_total += started.segments;
  report.last_known = started.last_known;
  report.phase = my.state().image ? delivery_phase::receiving : delivery_phase::resolving;
  tell_instances(my, link_changed{link_state::up, {}});  // they ask again for what readers wait for
  if (my.state().image) use_contents(my);                // another delivery may have brought them
  if (my.state().all_sent && my.state().reader)
    conclude(my, if_incomplete::pull_again);
  else
    conclude_by_count(my);
  if (my.state().image || started.toc_sent) return;
  run_step(
      my, my.tools->workers.next(),
      [tools = my.tools, request = my.request, id = started.toc]() -> result<mountable_image> {
        return keep_stored_toc(tools->images(), request->what, id);
      },
      [my](result<mountable_image> image) {
        if (image)
          adopt(my, std::move(*image));
        else
          fail_delivery(my, image.error());
      });
}

void on_no_start(const receiver_shell& my, const error& why) {
  my.state().pull_running = false;
  if (over(my)) return rest_if_idle(my);
  const bool passes = why.code == errc::unavailable || why.code == errc::timed_out || why.code == errc::busy;
  if (!passes || !my.state().image) return fail_delivery(my, why);
  my.report().problem = to_string(why);
  my.state().pull_failed = my.now();
  wait_for_link(my);
}

void send_pull(const receiver_shell& my, const pull_request& pull) {
  my.self->request(my.tools->link, caf::infinite, pull, caf::actor_cast<receiver>(my.self))
      .then([my](const pull_started& started) { on_started(my, started); },
            [my, reference = pull.reference, login = pull.login](const caf::error& problem) {
              const auto why = from_caf(problem);
              if (why.code == errc::denied && login)
                my.self->send(my.tools->logins, login_refused{reference, login});
              on_no_start(my, why);
            });
}

/// Looked up each time: it may be another one by now.
void send_with_login(const receiver_shell& my, const pull_request& pull) {
  if (!my.tools->logins) return send_pull(my, pull);
  my.self->request(my.tools->logins, caf::infinite, find_login{pull.reference})
      .then(
          [my, pull = pull](const found_login& found) mutable {
            pull.login = found.login;
            send_pull(my, pull);
          },
          [my](const caf::error& problem) { on_no_start(my, from_caf(problem)); });
}

void begin_pull(const receiver_shell& my) {
  auto& state = my.state();
  state.report.delivery = my.tools->delivery_ids->fetch_add(1) + 1;
  state.report.bytes_total = state.report.bytes_stored;  // and what comes now, some of it before the answer
  state.report.segments_total = state.report.segments_received;
  state.counted = state.all_sent = false;
  my.tools->group->note(my.self->address(), 0);  // what an earlier pull brought is looked up
  auto beside = my.tools->group->under_way();    // before what is had is looked up
  my.tools->group->note(my.self->address(), state.report.delivery);
  tick(my);
  // All by the same worker: pulls leave in the order in which they were started.
  run_on(
      my.tools->workers.all().front(), my.self,
      [tools = my.tools, request = my.request, image = state.image, id = state.report.delivery] {
        return describe_pull(tools->images(), request->what, image, id);
      },
      [my, beside = std::move(beside)](result<pull_request> pull) {
        if (!pull) return on_no_start(my, pull.error());
        pull->beside = beside;
        send_with_login(my, *pull);
      });
}

void start_pull(const receiver_shell& my) {
  if (std::exchange(my.state().pull_running, true)) return;
  my.state().pull_at.reset();
  wake(my, [my] { begin_pull(my); });
}

/// It may overtake the answer to the pull, and the contents: then those conclude.
void on_all_sent(const receiver_shell& my) {
  my.state().all_sent = true;
  if (my.state().reader && !my.state().pull_running) conclude(my, if_incomplete::pull_again);
}

// ---- beside other deliveries -------------------------------------------------------------------

void on_stored_elsewhere(const receiver_shell& my, const stored_elsewhere& news) {
  auto& state = my.state();
  if (over(my) || !state.reader) return;  // what came before is looked up with the contents
  const auto& toc = *state.image->toc;
  if (state.numbers.empty())
    for (std::uint32_t i = 0; i < toc.content_count(); ++i) state.numbers.emplace(toc.content(i).id, i);
  std::vector<block_run> mine;
  for (const auto& run : *news.runs)
    if (const auto found = state.numbers.find(run.content); found != state.numbers.end())
      mine.push_back({found->second, run.first, run.count});
  if (mine.empty()) return;
  tell_instances(
      my, blocks_ready{std::make_shared<const std::vector<block_run>>(std::move(mine)), news.out_of_turn});
}

void on_brought_otherwise(const receiver_shell& my) {
  if (over(my)) return;
  use_contents(my);
  conclude(my, if_incomplete::pull_again);
}

// ---- the outside -------------------------------------------------------------------------------

void on_link(const receiver_shell& my, const link_changed& news) {
  if (over(my)) return;
  if (news.now == link_state::up) return start_pull(my);
  my.report().problem = news.why;
  if (auto early = std::exchange(my.state().early_contents, {}))
    early->second.deliver(verdict{error{errc::cancelled, news.why}});
  if (!my.state().image) return;  // the pull itself fails, and says so
  my.report().phase = delivery_phase::waiting_for_link;
  tell_instances(my, news);
  rest_if_idle(my);
}

void on_want(const receiver_shell& my, const want_blocks& wanted) {
  auto& report = my.report();
  if (!over(my) && !my.state().reader) return;  // they are looked up once the contents are known
  report.wants += static_cast<std::uint32_t>(wanted.runs.size());
  if (report.phase == delivery_phase::receiving)
    my.self->send(my.tools->link, want{report.delivery, wanted.runs, urgency::normal});
  if (report.phase != delivery_phase::failed) return;
  const auto failed_for = my.now() - my.state().started - report.elapsed;
  if (failed_for < my.tools->limits.retry_failed_after || !my.state().image)
    return tell_instances(my, blocks_failed{wanted.runs, my.state().failure});
  my.state().damaged.emplace(my.tools->limits.damaged_attempts_max);
  report.phase = delivery_phase::receiving;
  start_pull(my);
}

void measure_rate(const receiver_shell& my) {
  auto& state = my.state();
  const std::chrono::duration<double> span = my.now() - state.rate_since;
  if (span.count() < 1) return;
  const auto bytes = static_cast<double>(state.report.bytes_received - state.rate_bytes);
  state.report.rate_bytes_per_second = static_cast<std::uint64_t>(bytes / span.count());
  state.rate_bytes = state.report.bytes_received;
  state.rate_since = my.now();
}

void on_tick(const receiver_shell& my) {
  auto& state = my.state();
  state.ticking = false;
  measure_rate(my);
  for (const auto& address : state.listeners)
    if (auto listener = caf::actor_cast<progress_listener>(address))
      my.self->send(listener, progress_of(state.report));
  if (state.bytes_since_checkpoint > 0 &&
      my.now() - state.checkpointed >= my.tools->limits.checkpoint_interval)
    checkpoint(my);
  if (over(my)) return;
  if (state.pull_at && my.now() >= *state.pull_at) {
    state.pull_at.reset();
    pull_again(my);
  }
  tick(my);
}

receiver_report report_of(const receiver_shell& my) {
  auto report = my.report();
  if (!over(my))
    report.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(my.now() - my.state().started);
  return report;
}

void forget_the_dead(self_pointer self) {
  self->set_down_handler([self](caf::down_msg& down) {
    self->state.instances.erase(down.source);
    self->state.listeners.erase(down.source);
  });
}

}  // namespace

namespace detail {

void fail_delivery(const receiver_shell& my, const error& why) {
  if (over(my)) return;
  spdlog::error("delivery of {} ends: {}", my.request->what.reference, to_string(why));
  auto& state = my.state();
  my.tools->group->note(my.self->address(), 0);
  state.report.phase = delivery_phase::failed;
  state.report.problem = to_string(why);
  state.report.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(my.now() - state.started);
  my.self->send(my.tools->link, cancel_delivery{state.report.delivery});
  state.failure = why;
  tell_instances(my, blocks_failed{{}, why});
  for (auto& waiter : std::exchange(state.mountable_waiters, {})) waiter.deliver(to_caf(why));
  for (auto& waiter : std::exchange(state.complete_waiters, {})) waiter.deliver(to_caf(why));
  if (auto early = std::exchange(state.early_contents, {})) early->second.deliver(verdict{why});
  for (auto& [early, reply] : std::exchange(state.early, {})) reply.deliver(verdict{why});
  tell_observer(my);
  rest_if_idle(my);
}

/// The hub's word that all has been sent comes a round trip after the last segment. It is needed only where
/// blocks came twice, so that counting them says nothing.
void conclude_by_count(const receiver_shell& my) {
  const auto& report = my.report();
  if (my.state().pull_running || !my.state().reader || report.bytes_stored < report.bytes_total) return;
  if (std::exchange(my.state().counted, true)) return;
  conclude(my, my.state().all_sent ? if_incomplete::pull_again : if_incomplete::wait);
}

}  // namespace detail

image_receiver::behavior_type make_image_receiver(self_pointer self, receive_request request,
                                                  receiver_tools tools) {
  const receiver_shell my{self, std::make_shared<const receive_request>(std::move(request)),
                          std::make_shared<const receiver_tools>(std::move(tools))};
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  forget_the_dead(self);
  my.tools->group->add(self->address());
  my.state().started = my.state().rate_since = my.state().checkpointed = my.now();
  my.report().reference = my.request->what.reference;
  my.report().platform = my.request->what.platform;
  if (my.request->known) adopt(my, *my.request->known);
  start_pull(my);
  return {
      [=](const incoming_toc& incoming) -> caf::result<verdict> {
        auto reply = self->make_response_promise<verdict>();
        detail::take_toc(my, incoming.toc, reply);
        return reply;
      },
      [=](const incoming_segment& incoming) -> caf::result<verdict> {
        auto reply = self->make_response_promise<verdict>();
        detail::take_segment(my, incoming, reply);
        return reply;
      },
      [=](const incoming_landmark& incoming) {
        if (incoming.delivery != my.report().delivery || over(my)) return;  // of an earlier pull
        if (incoming.mark == landmark::guessed)
          tell_start_sent(my);
        else if (incoming.mark == landmark::given_up)
          fail_delivery(my, {errc::unavailable, "the hub cannot send the rest of the image; see its log"});
        else
          on_all_sent(my);
      },
      [=](const brought_otherwise& news) {
        if (my.report().toc == news.toc) wake(my, [my] { on_brought_otherwise(my); });
      },
      [=](const stored_elsewhere& news) { on_stored_elsewhere(my, news); },
      [=](const incoming_progress& incoming) { my.report().progress = incoming.progress; },
      [=](const link_changed& news) { on_link(my, news); },
      [=](const want_blocks& wanted) { on_want(my, wanted); },
      [=](caf::subscribe_atom, const caf::actor& mount) {
        self->monitor(mount);
        my.state().instances.insert(caf::actor_cast<caf::actor_addr>(mount));
        if (my.state().reader) caf::anon_send(mount, contents_known{});
        if (my.report().phase == delivery_phase::complete) caf::anon_send(mount, image_complete{});
      },
      [=](const await_mountable&) -> caf::result<mountable_image> {
        if (my.state().image) return *my.state().image;
        if (over(my)) return to_caf(my.state().failure);
        my.state().mountable_waiters.push_back(self->make_response_promise<mountable_image>());
        return my.state().mountable_waiters.back();
      },
      [=](const await_complete&) -> caf::result<receiver_report> {
        if (my.report().phase == delivery_phase::complete) return report_of(my);
        if (over(my)) return to_caf(my.state().failure);
        my.state().complete_waiters.push_back(self->make_response_promise<receiver_report>());
        return my.state().complete_waiters.back();
      },
      [=](caf::get_atom) { return report_of(my); },
      [=](caf::subscribe_atom, const progress_listener& listener) {
        self->monitor(listener);
        my.state().listeners.insert(caf::actor_cast<caf::actor_addr>(listener));
      },
      [=](caf::tick_atom) { on_tick(my); },
  };
}

}  // namespace firstlight
