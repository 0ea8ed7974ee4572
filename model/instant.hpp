#pragma once
#include <chrono>

namespace firstlight {

/// A point in time of the caller's monotonic clock. The model never reads a clock: time is passed in,
/// so that tests move it by hand. Equals the time point of CAF's actor clock.
using instant = std::chrono::steady_clock::time_point;

}  // namespace firstlight
