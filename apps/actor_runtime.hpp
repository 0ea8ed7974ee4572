#pragma once
#include <caf/all.hpp>

namespace firstlight {

/// The actor system of a daemon as it was measured to be best: idle without CPU, fair between actors.
/// Ends when every actor has ended: whoever owns actors is destroyed before.
class actor_runtime {
 public:
  /// `threads`: of the scheduler; 0: one a core, at least two.
  explicit actor_runtime(std::uint32_t threads = 0);
  [[nodiscard]] caf::actor_system& system() { return system_; }

 private:
  struct settings : caf::actor_system_config {
    explicit settings(std::uint32_t threads);
  };
  settings config_;
  caf::actor_system system_;
};

}  // namespace firstlight
