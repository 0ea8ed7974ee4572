#include "actors/node/receiver_shell.hpp"

namespace firstlight::detail {

void rest_if_idle(const receiver_shell& my) {
  auto& state = my.state();
  const auto phase = state.report.phase;
  const bool waits = phase == delivery_phase::waiting_for_link || phase == delivery_phase::failed;
  if (!waits || state.rests || state.pull_running || state.steps > 0 || !my.tools->observer) return;
  state.rests = true;
  caf::anon_send(my.tools->observer, receiver_rests{my.self->address(), state.image});
}

void wake(const receiver_shell& my, std::function<void()> then) {
  auto& state = my.state();
  if (!state.rests) return then();
  state.once_awake.push_back(std::move(then));
  if (state.once_awake.size() > 1) return;
  my.self->request(my.tools->observer, caf::infinite, wake_receiver{my.self->address()})
      .then(
          [my](receiver_awake) {
            my.state().rests = false;
            for (const auto& go_on : std::exchange(my.state().once_awake, {})) go_on();
            rest_if_idle(my);
          },
          [](const caf::error&) {});  // it ends
}

}  // namespace firstlight::detail
