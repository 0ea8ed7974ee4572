#include "model/image_fallbacks.hpp"

#include <algorithm>

namespace firstlight {

void image_fallbacks::note(const std::string& reference, const std::string& layer, instant now) {
  last_.insert_or_assign(reference, left_layer{layer, now});
  if (last_.size() > images_max_)
    last_.erase(std::min_element(last_.begin(), last_.end(),
                                 [](const auto& a, const auto& b) { return a.second.when < b.second.when; }));
}

std::optional<std::string> image_fallbacks::last_layer(const std::string& reference, instant now,
                                                       std::chrono::milliseconds span) const {
  const auto found = last_.find(reference);
  if (found == last_.end() || now - found->second.when >= span) return std::nullopt;
  return found->second.name;
}

}  // namespace firstlight
