#include "model/read_claim.hpp"

namespace firstlight {

std::vector<read_claim> claims_of(const std::vector<content_holder>& holders) {
  std::vector<read_claim> claims;
  claims.reserve(holders.size());
  bool first = true;
  for (const auto& holder : holders) {
    const bool alone = holders.size() == 1;
    if (!holder.recorded)
      claims.push_back(read_claim::none);
    else if (holder.follows_opens && !alone)
      claims.push_back(read_claim::if_opened);
    else
      claims.push_back(first ? read_claim::certain : read_claim::none);
    first = first && !holder.recorded;
  }
  return claims;
}

}  // namespace firstlight
