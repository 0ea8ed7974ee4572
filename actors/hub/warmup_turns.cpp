#include "actors/hub/warmup_turns.hpp"

namespace firstlight {
namespace {

warmup_turns::turn held(std::map<std::string, std::weak_ptr<const void>>& holders, const std::string& host) {
  std::erase_if(holders, [](const auto& entry) { return entry.second.expired(); });
  const auto found = holders.find(host);
  return found == holders.end() ? nullptr : found->second.lock();
}

}  // namespace

warmup_turns::turn warmup_turns::take(const std::string& host) {
  const std::lock_guard lock(mutex_);
  if (held(taken_, host) || held(used_, host)) return nullptr;
  turn mine = std::make_shared<const int>(0);
  taken_.insert_or_assign(host, mine);
  return mine;
}

warmup_turns::turn warmup_turns::use(const std::string& host) {
  const std::lock_guard lock(mutex_);
  if (auto shared = held(used_, host)) return shared;
  turn first = std::make_shared<const int>(0);
  used_.insert_or_assign(host, first);
  return first;
}

bool warmup_turns::in_use(const std::string& host) {
  const std::lock_guard lock(mutex_);
  return held(used_, host) != nullptr;
}

}  // namespace firstlight
