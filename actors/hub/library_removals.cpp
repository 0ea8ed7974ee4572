#include "actors/hub/library_removals.hpp"

#include <spdlog/spdlog.h>

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

/// What is known of layers without their contents. Additions go on meanwhile.
void forget_layers(library_pointer self, const library_tools& tools, const worker_pool& workers) {
  run_on(
      tools.sweepers.value_or(workers).next(), self,
      [tools] {
        const auto there = [&](const content_id& id) {
          return tools.contents.state(id) == content_state::complete;
        };
        return tools.layers.forget_unless(there, tools.stop.get());
      },
      [](const result<std::size_t>& forgotten) {
        if (!forgotten)
          spdlog::warn("what is known of layers that have gone stays: {}", to_string(forgotten.error()));
      });
}

void answer_removal(const waiting_removal& removal, const result<sweep_result>& swept) {
  auto reply = removal.reply;
  const auto& name = removal.where.first;
  if (!swept) return refuse(reply, fail(swept.error(), name + " is removed, but its contents stay").value());
  spdlog::info("removed {}: with all that were removed at once {} contents, {} bytes", name,
               swept->contents_removed, swept->bytes_removed);
  reply.deliver(image_removed{});
}

/// Of a sweep that no removal was for.
void log_sweep(const result<sweep_result>& swept) {
  if (!swept) return spdlog::warn("contents that no image needs stay: {}", to_string(swept.error()));
  spdlog::warn("removed {} contents that no image needs, {} bytes", swept->contents_removed,
               swept->bytes_removed);
}

error overdue(const std::string& name, removal_delay waited_for) {
  const std::string why =
      waited_for == removal_delay::additions
          ? "other images were being added all the time; " + name + " stays, try again when they are done"
          : "what was removed before is still going from the disk; " + name +
                " stays, try again when that is done";
  return {errc::busy, "image_removal_wait: " + why};
}

}  // namespace

void remove_in_turn(library_pointer self, const library_tools& tools, const worker_pool& workers,
                    const remove_image& which, removal_promise reply) {
  const auto asked = as_named({which.reference, which.platform, {}, 0, {}});
  if (!asked) return refuse(reply, asked.error());
  auto& state = self->state;
  const auto number = state.turns.ask_removal(self->clock().now());
  state.removals.emplace(number, waiting_removal{asked->where, reply});
  take_turns(self, tools, workers);
  if (state.removals.contains(number)) self->delayed_send(self, tools.removal_wait, removal_overdue{number});
}

void give_up_removal(library_pointer self, const library_tools& tools, const worker_pool& workers,
                     const removal_overdue& what) {
  const auto waited_for = self->state.turns.give_up(what.number);
  if (!waited_for) return;
  const auto removal = std::move(self->state.removals.extract(what.number).mapped());
  refuse(removal.reply, overdue(removal.where.first, *waited_for));
  take_turns(self, tools, workers);
}

void remove_and_sweep(library_pointer self, const library_tools& tools, const worker_pool& workers,
                      const begun_turns& turns) {
  std::vector<waiting_removal> gone;
  for (const auto number : turns.removals) {
    auto removal = std::move(self->state.removals.extract(number).mapped());
    if (const auto removed = remove_record(self, tools, removal.where); !removed)
      refuse(removal.reply, removed.error());
    else
      gone.push_back(std::move(removal));
  }
  if (gone.empty() && !turns.wanted) return self->state.turns.end_sweep();
  run_on(
      tools.sweepers.value_or(workers).next(), self, [tools] { return sweep_and_note(tools); },
      [=](const result<sweep_result>& swept) {
        self->state.turns.end_sweep();
        if (gone.empty()) log_sweep(swept);
        for (const auto& removal : gone) answer_removal(removal, swept);
        if (swept && swept->contents_removed > 0) forget_layers(self, tools, workers);
        take_turns(self, tools, workers);
      });
}

void want_sweep(library_pointer self, const library_tools& tools) {
  self->state.turns.want_sweep(self->clock().now());
  if (!tools.due) return;
  auto due = *tools.due;
  if (const auto noted = due.note(); !noted)
    spdlog::warn("what an image brought that had no room may outlast a stop: {}", to_string(noted.error()));
}

void finish_earlier_sweep(library_pointer self, const library_tools& tools, const worker_pool& workers) {
  if (!tools.due) return;
  const auto noted = tools.due->is_noted();
  if (!noted) return spdlog::warn("whether a removal was cut off is not known: {}", to_string(noted.error()));
  if (!*noted) return;
  spdlog::info("the hub was stopped before all contents of a removed or refused image had gone");
  self->state.turns.want_sweep(self->clock().now());
  take_turns(self, tools, workers);
}

}  // namespace firstlight
