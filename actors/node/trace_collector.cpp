#include "actors/node/trace_collector.hpp"

#include <spdlog/spdlog.h>

#include "actors/errors.hpp"
#include "actors/shutdown.hpp"
#include "schemas/trace_codec.hpp"

namespace firstlight {
namespace {

using self_pointer = trace_collector::stateful_pointer<collector_state>;

struct shell {
  self_pointer self;
  std::shared_ptr<const collector_tools> tools;

  [[nodiscard]] collector_state& state() const { return self->state; }
};

void send_next(const shell& my);

void send_later(const shell& my, const error& why) {
  my.state().status.last_error = to_string(why);
  if (std::exchange(my.state().ticking, true)) return;
  my.self->delayed_send(my.self, my.tools->retry_interval, caf::tick_atom_v);
}

void drop_first(const shell& my) {
  const auto id = my.state().queue.front();
  my.state().queue.pop_front();
  if (auto forgotten = my.tools->unsent.forget(id); !forgotten)
    spdlog::error("a trace that was sent stays on disk: {}", to_string(forgotten.error()));
}

void on_answer(const shell& my, const std::optional<error>& failure) {
  auto& state = my.state();
  state.sending = false;
  if (failure && !refused_for_good(failure->code)) return send_later(my, *failure);
  ++(failure ? state.status.refused : state.status.sent);
  if (failure) spdlog::warn("the hub refuses a trace: {}", to_string(*failure));
  state.status.last_error = failure ? to_string(*failure) : "";
  drop_first(my);
  send_next(my);
}

/// One after another: the hub orders them by their starts, not by their arrival. One that is damaged does not
/// keep those behind it.
void send_next(const shell& my) {
  auto& state = my.state();
  if (state.sending || state.queue.empty()) return;
  const auto recorded = my.tools->unsent.find_readable(state.queue.front(), [](const error& why) {
    spdlog::error("a trace that was not sent is lost: {}", to_string(why));
  });
  if (!recorded) return send_later(my, recorded.error());
  if (!*recorded) {
    drop_first(my);
    return send_next(my);
  }
  state.sending = true;
  auto encoded = share(encode_trace(**recorded, my.tools->now()));
  my.self->request(my.tools->link, caf::infinite, trace_report{std::move(encoded), {}})
      .then([my](trace_kept) { on_answer(my, std::nullopt); },
            [my](const caf::error& problem) { on_answer(my, from_caf(problem)); });
}

/// Once this has the trace, its draft goes: before anything is sent, so that none is left of what the hub has
/// confirmed.
result<void> take(const shell& my, const trace& recorded) {
  auto added = my.tools->unsent.add(recorded);
  if (!added) return tl::unexpected(added.error());
  my.state().drafts.erase(recorded.id);
  if (auto dropped = my.tools->drafts.drop(recorded.id); !dropped)
    spdlog::error("a draft of a trace stays on disk: {}", to_string(dropped.error()));
  return {};
}

void keep(const shell& my, const trace& recorded) {
  auto& state = my.state();
  if (auto taken = take(my, recorded); !taken)
    return spdlog::error("a trace of {} is lost: {}", recorded.reference, to_string(taken.error()));
  state.queue.push_back(recorded.id);
  spdlog::info("recorded a start of {}: {} files", recorded.reference, recorded.files.size());
  // The oldest is being sent perhaps; then the next one goes.
  while (state.queue.size() > my.tools->unsent_max && state.queue.size() > 1) {
    const auto oldest = state.queue.begin() + (state.sending ? 1 : 0);
    if (auto forgotten = my.tools->unsent.forget(*oldest); !forgotten)
      spdlog::error("an old trace stays on disk: {}", to_string(forgotten.error()));
    state.queue.erase(oldest);
  }
  send_next(my);
}

void keep_draft(const shell& my, const trace& so_far) {
  if (auto kept = my.tools->drafts.keep(so_far); !kept)
    return spdlog::error("what was recorded of a start is not kept: {}", to_string(kept.error()));
  my.state().drafts.insert_or_assign(so_far.id, so_far.files.size());
}

collector_status status_of(const collector_state& state) {
  auto status = state.status;
  status.unsent = static_cast<std::uint32_t>(state.queue.size());
  for (const auto& [id, files] : state.drafts) status.files_recorded += static_cast<std::uint32_t>(files);
  return status;
}

/// What an earlier process was recording when it died. Of one that was taken already nothing changes.
void take_drafts(const shell& my) {
  const auto left = my.tools->drafts.left(
      [](const error& why) { spdlog::error("what was recorded of a start is lost: {}", to_string(why)); });
  if (!left) return spdlog::error("what was recorded of starts is lost: {}", to_string(left.error()));
  for (const auto& one : *left) {
    if (auto taken = take(my, one); !taken)
      spdlog::error("a trace of {} waits for the next process: {}", one.reference, to_string(taken.error()));
    else
      spdlog::info("ends the record of a start of {} with {} files: its node has died", one.reference,
                   one.files.size());
  }
}

void find_unsent(const shell& my) {
  std::vector<std::pair<std::chrono::nanoseconds, trace_id>> left;
  const auto found = my.tools->unsent.for_each([&](trace&& one) {
    left.emplace_back(one.started, one.id);
    return true;
  });
  if (!found) spdlog::error("traces that were not sent are lost: {}", to_string(found.error()));
  std::sort(left.begin(), left.end());
  for (const auto& [started, id] : left) my.state().queue.push_back(id);
}

}  // namespace

trace_collector::behavior_type make_trace_collector(self_pointer self, collector_tools tools) {
  const shell my{self, std::make_shared<const collector_tools>(std::move(tools))};
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  self->set_error_handler([](caf::error&) {});  // failed requests are handled where they are made
  take_drafts(my);
  find_unsent(my);
  self->send(self, caf::tick_atom_v);
  my.state().ticking = true;
  return {
      [=](const start_recorded& start) { keep(my, start.what); },
      [=](const start_goes_on& start) { keep_draft(my, start.what); },
      [=](caf::get_atom) { return status_of(my.state()); },
      [=](caf::tick_atom) {
        my.state().ticking = false;
        send_next(my);
      },
  };
}

void end_collector(caf::actor_system& system, trace_collector& collector) {
  if (!collector) return;
  caf::scoped_actor self{system};
  self->request(collector, std::chrono::seconds(10), caf::get_atom_v)
      .receive([](const collector_status&) {},
               [](const caf::error& problem) {
                 spdlog::error("the last traces may be lost: {}", to_string(from_caf(problem)));
               });
  end_actors(system, collector);
}

}  // namespace firstlight
