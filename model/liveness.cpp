#include "model/liveness.hpp"

#include <algorithm>

namespace firstlight {

liveness::verdict liveness::check(instant now) {
  if (silence(now) >= silence_max_) return verdict::gone;
  if (now < std::max(heard_, pinged_) + silence_max_ / 3) return verdict::fine;
  pinged_ = now;
  return verdict::ping;
}

instant liveness::next_check() const {
  return std::min(std::max(heard_, pinged_) + silence_max_ / 3, heard_ + silence_max_);
}

}  // namespace firstlight
