#include "apps/actor_runtime.hpp"

#include <algorithm>
#include <thread>

namespace firstlight {

actor_runtime::settings::settings(std::uint32_t threads) {
  const std::size_t wanted = threads > 0 ? threads : std::max(std::thread::hardware_concurrency(), 2U);
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", wanted);
  set("scheduler.max-throughput", std::size_t{100});
}

actor_runtime::actor_runtime(std::uint32_t threads) : config_(threads), system_(config_) {}

}  // namespace firstlight
