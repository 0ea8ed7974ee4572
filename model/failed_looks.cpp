#include "model/failed_looks.hpp"

#include <algorithm>

namespace firstlight {

failed_looks::look failed_looks::begin() {
  planned_.wait = {};
  return in_use();
}

failed_looks::look failed_looks::in_use() {
  in_vain_ = 0;
  return plan_next();
}

std::optional<failed_looks::look> failed_looks::in_vain() {
  if (++in_vain_ >= limits_.in_vain_max) return std::nullopt;
  return plan_next();
}

failed_looks::look failed_looks::plan_next() {
  const bool first = planned_.wait.count() == 0;
  planned_.wait = first ? limits_.wait_first : std::min(planned_.wait * 2, limits_.wait_max);
  ++planned_.number;
  return planned_;
}

}  // namespace firstlight
