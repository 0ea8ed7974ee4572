#include "model/node_clock.hpp"

namespace firstlight {

std::chrono::nanoseconds start_by_hub_clock(const told_start& told, std::chrono::nanoseconds error_max) {
  if (told.started.count() < 0 || told.sent.count() <= 0 || told.started > told.sent) return told.started;
  const bool may_be_right = told.sent <= told.received && told.received - told.sent <= error_max;
  return may_be_right ? told.started : told.received - (told.sent - told.started);
}

}  // namespace firstlight
