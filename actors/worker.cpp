#include "actors/worker.hpp"

#include <exception>

#include "actors/niceness.hpp"

namespace firstlight {

worker::behavior_type make_worker(worker::pointer self) {
  self->set_exit_handler([self](caf::exit_msg& message) { self->quit(std::move(message.reason)); });
  return {[](const work& piece) -> caf::result<work_done> {
    try {
      piece.run();
      return work_done{};
    } catch (const std::exception& problem) {
      return to_caf({errc::io, problem.what()});
    }
  }};
}

worker_pool::worker_pool(std::vector<worker> workers)
    : workers_(std::move(workers)), turn_(std::make_shared<std::atomic<std::size_t>>(0)) {}

worker::behavior_type make_background_worker(worker::pointer self) {
  change_niceness(background_niceness);
  return make_worker(self);
}

worker_pool::worker_pool(caf::actor_system& system, std::uint32_t count, worker_urgency urgency)
    : turn_(std::make_shared<std::atomic<std::size_t>>(0)) {
  const auto behavior = urgency == worker_urgency::normal ? make_worker : make_background_worker;
  for (std::uint32_t i = 0; i < count; ++i) workers_.push_back(system.spawn<caf::detached>(behavior));
}

const worker& worker_pool::next() const {
  return workers_[turn_->fetch_add(1) % workers_.size()];
}

}  // namespace firstlight
