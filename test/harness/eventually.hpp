#pragma once
#include <chrono>
#include <thread>

namespace firstlight {

/// Whether `condition` becomes true within half a minute. For what another process or the kernel does in
/// its own time; never to let time pass.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace firstlight
