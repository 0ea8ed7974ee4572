#include "actors/node/receiver_group.hpp"

namespace firstlight {

void receiver_group::add(const caf::actor_addr& receiver) {
  const std::lock_guard lock(mutex_);
  receivers_.push_back(receiver);
}

std::vector<caf::actor> receiver_group::others(const caf::actor_addr& receiver) {
  const std::lock_guard lock(mutex_);
  std::vector<caf::actor> found;
  std::erase_if(receivers_, [&](const caf::actor_addr& address) {
    auto living = caf::actor_cast<caf::actor>(address);
    if (!living) return true;
    if (address != receiver) found.push_back(std::move(living));
    return false;
  });
  return found;
}

}  // namespace firstlight
