#include "actors/node/tracer.hpp"

namespace firstlight {
namespace {

using self_pointer = tracer::stateful_pointer<tracer_state>;

trace trace_of(const tracer_parts& parts, std::vector<recorded_content> contents) {
  return make_trace(parts.instance, std::move(contents), parts.trace_bytes_max);
}

void finish(self_pointer self, const tracer_parts& parts) {
  auto contents = parts.recorder->finish();
  if (!contents.empty()) self->send(parts.collector, start_recorded{trace_of(parts, std::move(contents))});
  self->quit();
}

/// Nothing while nothing new is read: it is the whole trace that is written.
void keep(self_pointer self, const tracer_parts& parts) {
  const auto now = self->clock().now();
  if (parts.keep_interval.count() == 0 || now - self->state.kept_at < parts.keep_interval) return;
  const auto noted = parts.recorder->noted();
  if (noted == self->state.kept) return;
  self->state.kept_at = now;
  self->state.kept = noted;
  self->send(parts.collector, start_goes_on{trace_of(parts, parts.recorder->so_far())});
}

}  // namespace

tracer::behavior_type make_tracer(self_pointer self, const tracer_parts& parts) {
  self->state.kept_at = self->clock().now();
  self->set_exit_handler([=](const caf::exit_msg&) { finish(self, parts); });
  self->delayed_send(self, parts.check_interval, caf::tick_atom_v);
  return {
      [=](finish_recording) { finish(self, parts); },
      [=](caf::tick_atom) {
        if (parts.recorder->settled(self->clock().now())) return finish(self, parts);
        keep(self, parts);
        self->delayed_send(self, parts.check_interval, caf::tick_atom_v);
      },
  };
}

}  // namespace firstlight
