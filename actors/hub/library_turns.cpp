#include "actors/hub/library_turns.hpp"

#include <algorithm>

#include "actors/hub/library_removals.hpp"

namespace firstlight {
namespace {

const char* stage_of(addition_delay delay) {
  switch (delay) {
    case addition_delay::sweep:
      return "waiting until what no image needs is removed";
    case addition_delay::removal:
      return "waiting until an image is removed";
    case addition_delay::others:
      break;
  }
  return "waiting until others have been added";
}

/// Why they wait changes while they do.
void tell_waiting(library_pointer self) {
  const std::string stage = stage_of(self->state.turns.additions_wait_for());
  for (const auto& [number, addition] : self->state.additions) {
    const auto open = self->state.open.find(addition.where);
    if (open == self->state.open.end() || open->second.status.progress.stage == stage) continue;
    tell(self, {addition.where.first, addition.where.second, {stage, 0, 0}, {}});
  }
}

/// One message at a time is on its way.
void come_back_in_time(library_pointer self) {
  auto& state = self->state;
  const auto at = state.turns.next_change();
  if (!at || (state.turns_due_at && *state.turns_due_at <= *at)) return;
  state.turns_due_at = at;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*at - self->clock().now());
  self->delayed_send(self, std::max(wait, std::chrono::milliseconds(0)), turns_due{*at});
}

worker take_idle(std::vector<worker>& idle) {
  auto by = std::move(idle.back());
  idle.pop_back();
  return by;
}

/// A registry that is slow to answer, or away, keeps nobody from asking another one.
void look_next(library_pointer self) {
  while (const auto next = self->state.looks->take()) next->second(take_idle(self->state.idle_lookers));
}

}  // namespace

void set_up_turns(library_pointer self, const library_tools& tools, const worker_pool& workers) {
  auto& state = self->state;
  state.idle_ingesters = workers.all();
  state.turns = sweep_turns({.additions_max = static_cast<std::uint32_t>(workers.size()),
                             .patience = tools.removal_patience,
                             .hold = tools.removal_hold});
  state.idle_lookers = tools.lookers.value_or(workers).all();
  state.looks.emplace(state.idle_lookers.size(), tools.looks_per_host_max);
}

void take_turns(library_pointer self, const library_tools& tools, const worker_pool& workers) {
  auto& state = self->state;
  while (const auto begun = state.turns.next(self->clock().now())) {
    for (const auto number : begun->additions)
      state.additions.extract(number).mapped().begin(take_idle(state.idle_ingesters));
    if (begun->sweep) remove_and_sweep(self, tools, workers, *begun);
  }
  tell_waiting(self);
  come_back_in_time(self);
}

void take_turns_due(library_pointer self, const library_tools& tools, const worker_pool& workers,
                    const turns_due& due) {
  if (self->state.turns_due_at == due.at) self->state.turns_due_at.reset();
  take_turns(self, tools, workers);
}

void add_in_turn(library_pointer self, const library_tools& tools, const worker_pool& workers,
                 waiting_addition addition) {
  self->state.additions.emplace(self->state.turns.ask_addition(), std::move(addition));
  take_turns(self, tools, workers);
}

void end_addition(library_pointer self, const worker& by) {
  self->state.idle_ingesters.push_back(by);
  self->state.turns.end_addition();
}

void look_in_turn(library_pointer self, const std::string& host, idle_work look) {
  self->state.looks->add(host, std::move(look));
  look_next(self);
}

void end_look(library_pointer self, const std::string& host, const worker& by) {
  self->state.idle_lookers.push_back(by);
  self->state.looks->done(host);
  look_next(self);
}

void tell(library_pointer self, const ingestion_status& news) {
  const auto open = self->state.open.find({news.reference, news.platform});
  if (open == self->state.open.end()) return;
  open->second.status = news;
  for (const auto& asker : open->second.askers)
    self->send(asker.listener, incoming_progress{asker.delivery, news.progress});
}

}  // namespace firstlight
