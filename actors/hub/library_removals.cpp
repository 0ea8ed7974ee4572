#include "actors/hub/library_removals.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "actors/hub/library_questions.hpp"
#include "storage/content_sweep.hpp"

namespace firstlight {
namespace {

void refuse(removal_promise reply, const error& why) {
  reply.deliver(to_caf(why));
}

/// For a worker.
result<sweep_result> sweep_and_note(const library_tools& tools) {
  auto swept = sweep_contents(tools.catalogue, tools.contents, tools.stop.get());
  if (!swept || !tools.due) return swept;
  auto due = *tools.due;
  if (const auto noted = due.done(); !noted)
    spdlog::warn("contents that no image needs are looked for once more: {}", to_string(noted.error()));
  return swept;
}

/// Sweeps, when its turn has begun; then come those that have waited for its end.
void sweep(library_pointer self, const library_tools& tools, const worker_pool& workers,
           std::function<void(const result<sweep_result>&)> then) {
  run_on(
      tools.sweepers.value_or(workers).next(), self, [tools] { return sweep_and_note(tools); },
      [=, then = std::move(then)](const result<sweep_result>& swept) {
        self->state.turns.end_sweep();
        then(swept);
        for (const auto& go_on : std::exchange(self->state.after_sweep, {})) go_on();
        begin_removals(self, tools, workers);
      });
}

/// What is not there needs no sweep, and a record that cannot be read is there.
result<void> note_removal(const library_tools& tools, const library_key& where) {
  const auto known = tools.catalogue.find(where.first, where.second);
  if (!tools.due || (known && !*known)) return {};
  auto due = *tools.due;
  return due.note();
}

result<void> remove_record(library_pointer self, const library_tools& tools, const library_key& where) {
  if (auto noted = note_removal(tools, where); !noted) return noted;
  if (auto gone = tools.catalogue.remove(where.first, where.second); !gone) return gone;
  self->state.last_known.erase(where);
  return {};
}

/// Those up to that number, in order, if they may begin now; then their sweep has begun.
std::vector<waiting_removal> take_until(std::vector<waiting_removal>& waiting, std::uint64_t last,
                                        sweep_turns& turns) {
  const auto later = std::find_if(waiting.begin(), waiting.end(),
                                  [&](const auto& removal) { return removal.number > last; });
  if (later == waiting.begin() || !turns.begin_removal()) return {};
  std::vector<waiting_removal> taken(std::make_move_iterator(waiting.begin()),
                                     std::make_move_iterator(later));
  waiting.erase(waiting.begin(), later);
  return taken;
}

void answer_removal(const waiting_removal& removal, const result<sweep_result>& swept) {
  auto reply = removal.reply;
  const auto& name = removal.where.first;
  if (!swept) return refuse(reply, fail(swept.error(), name + " is removed, but its contents stay").value());
  spdlog::info("removed {}: with all that were removed at once {} contents, {} bytes", name,
               swept->contents_removed, swept->bytes_removed);
  reply.deliver(image_removed{});
}

}  // namespace

void remove_in_turn(library_pointer self, const library_tools& tools, const worker_pool& workers,
                    const remove_image& which, removal_promise reply) {
  const auto asked = as_named({which.reference, which.platform, {}, 0, {}});
  if (!asked) return refuse(reply, asked.error());
  auto& state = self->state;
  const auto number = ++state.removals_asked;
  state.removals.push_back({number, asked->where, reply});
  // Additions that wait for the end of a sweep already come first.
  if (state.turns.sweeping())
    state.after_sweep.emplace_back([=] { begin_removals(self, tools, workers, number); });
  else
    begin_removals(self, tools, workers);
  if (!state.removals.empty()) self->delayed_send(self, tools.removal_wait, removal_overdue{number});
}

void give_up_removal(library_pointer self, const removal_overdue& what) {
  auto& waiting = self->state.removals;
  const auto overdue = std::find_if(waiting.begin(), waiting.end(),
                                    [&](const auto& removal) { return removal.number == what.number; });
  if (overdue == waiting.end()) return;
  refuse(overdue->reply, {errc::busy, "image_removal_wait: others are being added all the time; " +
                                          overdue->where.first + " stays, try again when they are done"});
  waiting.erase(overdue);
}

void begin_removals(library_pointer self, const library_tools& tools, const worker_pool& workers,
                    std::uint64_t last) {
  auto& state = self->state;
  auto turn = take_until(state.removals, last, state.turns);
  if (turn.empty()) return;
  std::vector<waiting_removal> gone;
  for (auto& removal : turn) {
    if (const auto removed = remove_record(self, tools, removal.where); !removed)
      refuse(removal.reply, removed.error());
    else
      gone.push_back(std::move(removal));
  }
  if (gone.empty()) return state.turns.end_sweep();
  sweep(self, tools, workers, [gone](const result<sweep_result>& swept) {
    for (const auto& removal : gone) answer_removal(removal, swept);
  });
}

void want_sweep(library_pointer self, const library_tools& tools) {
  self->state.turns.want_sweep();
  if (!tools.due) return;
  auto due = *tools.due;
  if (const auto noted = due.note(); !noted)
    spdlog::warn("what an image brought that had no room may outlast a stop: {}", to_string(noted.error()));
}

void begin_wanted_sweep(library_pointer self, const library_tools& tools, const worker_pool& workers) {
  if (!self->state.turns.begin_wanted_sweep()) return;
  sweep(self, tools, workers, [](const result<sweep_result>& swept) {
    if (!swept) return spdlog::warn("contents that no image needs stay: {}", to_string(swept.error()));
    spdlog::warn("removed {} contents that no image needs, {} bytes", swept->contents_removed,
                 swept->bytes_removed);
  });
}

void finish_earlier_sweep(library_pointer self, const library_tools& tools, const worker_pool& workers) {
  if (!tools.due) return;
  const auto noted = tools.due->is_noted();
  if (!noted) return spdlog::warn("whether a removal was cut off is not known: {}", to_string(noted.error()));
  if (!*noted) return;
  spdlog::info("the hub was stopped before all contents of a removed or refused image had gone");
  self->state.turns.want_sweep();
  begin_wanted_sweep(self, tools, workers);
}

}  // namespace firstlight
