#include "model/retry.hpp"

#include <algorithm>

namespace firstlight {

std::optional<std::chrono::milliseconds> retry::failed() {
  using std::chrono::milliseconds;
  const auto doublings = std::min(failures_, 31U);
  failures_ += failures_ < 0xffffffffU ? 1 : 0;
  if (limits_.attempts_max != 0 && failures_ >= limits_.attempts_max) return std::nullopt;
  const auto bound =
      std::min<double>(static_cast<double>(limits_.first.count()) * static_cast<double>(1ULL << doublings),
                       static_cast<double>(limits_.max.count()));
  return std::max(milliseconds(1), milliseconds(static_cast<std::int64_t>(bound * random_())));
}

}  // namespace firstlight
