#include "actors/shutdown.hpp"

#include <spdlog/spdlog.h>

namespace firstlight {
namespace {

bool wait_for_down(caf::scoped_actor& self, std::chrono::milliseconds grace) {
  bool down = false;
  self->receive([&](const caf::down_msg&) { down = true; }, caf::after(grace) >> [] {});
  return down;
}

}  // namespace

void end_actor(caf::actor_system& system, const caf::actor& which, std::chrono::milliseconds grace) {
  caf::scoped_actor self{system};
  self->monitor(which);
  self->send_exit(which, caf::exit_reason::user_shutdown);
  if (wait_for_down(self, grace)) return;
  spdlog::error("an actor does not end within {} ms and is killed", grace.count());
  self->send_exit(which, caf::exit_reason::kill);
  if (!wait_for_down(self, grace)) spdlog::critical("an actor does not end even when killed");
}

void end_worker(caf::actor_system& system, const caf::actor& which, std::chrono::milliseconds grace) {
  caf::scoped_actor self{system};
  self->monitor(which);
  self->send_exit(which, caf::exit_reason::user_shutdown);
  while (!wait_for_down(self, grace)) spdlog::error("a worker is still busy after {} ms", grace.count());
}

}  // namespace firstlight
