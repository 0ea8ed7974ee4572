#include "model/image_fallbacks.hpp"

#include <algorithm>

namespace firstlight {

bool image_fallbacks::note(const std::string& reference, instant now) {
  const bool first = last_.insert_or_assign(reference, now).second;
  if (last_.size() > images_max_)
    last_.erase(std::min_element(last_.begin(), last_.end(),
                                 [](const auto& a, const auto& b) { return a.second < b.second; }));
  return first;
}

bool image_fallbacks::is_recent(const std::string& reference, instant now,
                                std::chrono::milliseconds span) const {
  const auto found = last_.find(reference);
  return found != last_.end() && now - found->second < span;
}

}  // namespace firstlight
