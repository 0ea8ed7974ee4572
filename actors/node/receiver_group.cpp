#include "actors/node/receiver_group.hpp"

namespace firstlight {

void receiver_group::add(const caf::actor_addr& receiver) {
  const std::lock_guard lock(mutex_);
  receivers_.emplace(receiver, 0);
}

void receiver_group::note(const caf::actor_addr& receiver, std::uint64_t delivery) {
  const std::lock_guard lock(mutex_);
  receivers_.insert_or_assign(receiver, delivery);
}

std::vector<std::uint64_t> receiver_group::under_way() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> ids;
  for (const auto& [receiver, delivery] : receivers_)
    if (delivery != 0) ids.push_back(delivery);
  return ids;
}

std::vector<caf::actor> receiver_group::others(const caf::actor_addr& receiver) {
  const std::lock_guard lock(mutex_);
  std::vector<caf::actor> found;
  std::erase_if(receivers_, [&](const auto& entry) {
    const auto& address = entry.first;
    auto living = caf::actor_cast<caf::actor>(address);
    if (!living) return true;
    if (address != receiver) found.push_back(std::move(living));
    return false;
  });
  return found;
}

}  // namespace firstlight
