#include "actors/node/node_shell.hpp"

namespace firstlight::detail {

bool something_arrives(const node_root_state& state) {
  return state.deliveries.any_writes() || !state.mounting.empty() || state.loading > 0;
}

void note_rest(const node_shell& my, const receiver_rests& news) {
  if (my.state().deliveries.rest(news.receiver, news.image)) keep_store_limit(my);
}

// One that is ending may never write again: its image may have gone since.
result<void> let_write(const node_shell& my, const caf::actor_addr& receiver) {
  auto& state = my.state();
  const bool needed = std::any_of(state.receivers.begin(), state.receivers.end(), [&](const auto& running) {
    return running.second.handle.address() == receiver;
  });
  if (!needed) return fail(errc::cancelled, "the delivery has ended");
  state.deliveries.wake(receiver);
  return {};
}

void end_resting(const node_shell& my, const std::function<bool(const image_key&)>& goes) {
  auto& state = my.state();
  std::erase_if(state.receivers, [&](const auto& running) {
    const auto& key = running.first;
    const auto& handle = running.second.handle;
    if (!state.deliveries.rests(handle.address()) || is_mounted(my, key) || !goes(key)) return false;
    state.events.note("delivery given up", key.first + ": its image is evicted");
    my.self->send_exit(handle, caf::exit_reason::user_shutdown);
    return true;
  });
}

std::vector<mountable_image> resting_images(const node_shell& my) {
  const auto& state = my.state();
  std::vector<mountable_image> images;
  for (const auto& [key, running] : state.receivers)
    if (const auto* arrived = state.deliveries.arrived(running.handle.address())) images.push_back(*arrived);
  return images;
}

}  // namespace firstlight::detail
