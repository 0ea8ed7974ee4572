#pragma once
#include "actors/worker.hpp"

namespace firstlight {

/// Ends one actor and waits until it is down; after `grace` it is killed, and that is logged.
/// Invalid handles are passed over. Not from within an actor.
void end_actor(caf::actor_system& system, const caf::actor& which,
               std::chrono::milliseconds grace = std::chrono::seconds(10));

/// Ends actors one after another, in this order, and drops the handles.
template <class... Handles>
void end_actors(caf::actor_system& system, Handles&... handles) {
  const auto end_one = [&system](auto& handle) {
    if (handle) end_actor(system, caf::actor_cast<caf::actor>(handle));
    handle = nullptr;
  };
  (end_one(handles), ...);
}

/// Ends a worker and waits until it is down, however long that takes: what it works with is destroyed next.
/// Whoever can have long work has it look at a stop flag.
void end_worker(caf::actor_system& system, const caf::actor& which,
                std::chrono::milliseconds grace = std::chrono::seconds(10));

template <class... Pools>
void end_workers(caf::actor_system& system, Pools&... pools) {
  const auto end_pool = [&system](worker_pool& pool) {
    for (const auto& one : pool.all()) end_worker(system, caf::actor_cast<caf::actor>(one));
    pool.clear();
  };
  (end_pool(pools), ...);
}

}  // namespace firstlight
