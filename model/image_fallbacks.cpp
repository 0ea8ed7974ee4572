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

}  // namespace firstlight
