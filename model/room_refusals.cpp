#include "model/room_refusals.hpp"

#include <algorithm>

namespace firstlight {

void room_refusals::note(const std::string& asked, const room_need& need, instant now) {
  refused_.insert_or_assign(asked, refusal{need, now});
  if (refused_.size() > limits_.images_max)
    refused_.erase(std::min_element(refused_.begin(), refused_.end(), [](const auto& a, const auto& b) {
      return a.second.when < b.second.when;
    }));
}

std::optional<room_need> room_refusals::find(const std::string& asked, const store_room& room, instant now) {
  const auto found = refused_.find(asked);
  if (found == refused_.end()) return std::nullopt;
  const auto& [need, when] = found->second;
  if (now - when < limits_.remembered_for && !room.has(need.bytes)) return need;
  refused_.erase(found);
  return std::nullopt;
}

}  // namespace firstlight
