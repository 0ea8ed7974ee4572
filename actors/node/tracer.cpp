#include "actors/node/tracer.hpp"

namespace firstlight {
namespace {

void finish(tracer::pointer self, const tracer_parts& parts) {
  auto contents = parts.recorder->finish();
  if (!contents.empty())
    self->send(parts.collector,
               start_recorded{make_trace(parts.instance, std::move(contents), parts.trace_bytes_max)});
  self->quit();
}

}  // namespace

tracer::behavior_type make_tracer(tracer::pointer self, const tracer_parts& parts) {
  self->set_exit_handler([=](const caf::exit_msg&) { finish(self, parts); });
  self->delayed_send(self, parts.check_interval, caf::tick_atom_v);
  return {
      [=](finish_recording) { finish(self, parts); },
      [=](caf::tick_atom) {
        if (parts.recorder->settled(self->clock().now())) return finish(self, parts);
        self->delayed_send(self, parts.check_interval, caf::tick_atom_v);
      },
  };
}

}  // namespace firstlight
