#include "model/sweep_turns.hpp"

#include <cassert>

namespace firstlight {

bool sweep_turns::begin_addition() {
  if (sweeping_) return false;
  ++additions_;
  return true;
}

void sweep_turns::end_addition() {
  assert(additions_ > 0);
  --additions_;
}

void sweep_turns::end_look() {
  assert(looks_ > 0);
  --looks_;
}

bool sweep_turns::begin_wanted_sweep() {
  return wanted_ && begin_sweep();
}

bool sweep_turns::begin_sweep() {
  if (sweeping_ || additions_ > 0) return false;
  wanted_ = false;
  return sweeping_ = true;
}

bool sweep_turns::begin_removal() {
  return looks_ == 0 && begin_sweep();
}

void sweep_turns::end_sweep() {
  assert(sweeping_);
  sweeping_ = false;
}

}  // namespace firstlight
