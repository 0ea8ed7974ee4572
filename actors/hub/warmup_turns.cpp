#include "actors/hub/warmup_turns.hpp"

namespace firstlight {

warmup_turns::turn warmup_turns::take(const std::string& host) {
  const std::lock_guard lock(mutex_);
  std::erase_if(taken_, [](const auto& entry) { return entry.second.expired(); });
  if (taken_.contains(host)) return nullptr;
  turn mine = std::make_shared<const int>(0);
  taken_.emplace(host, mine);
  return mine;
}

}  // namespace firstlight
