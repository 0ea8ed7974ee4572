#pragma once
#include <atomic>
#include <caf/all.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "actors/errors.hpp"

namespace firstlight {

/// Something that may block or compute for long: disk, compression, hashing.
struct work {
  std::function<void()> run;
};
struct work_done {};

/// WORKER: runs work one piece after another on a thread of its own, so that no scheduler thread blocks.
using worker = caf::typed_actor<caf::replies_to<work>::with<work_done>>;

enum class worker_urgency : std::uint8_t { normal, background };

/// Workers that take turns; `end_workers` (shutdown.hpp) ends them.
class worker_pool {
 public:
  /// `count` workers, each a detached actor.
  worker_pool(caf::actor_system& system, std::uint32_t count,
              worker_urgency urgency = worker_urgency::normal);
  /// Workers made elsewhere, at least one: tests run them on the scheduler, step by step.
  explicit worker_pool(std::vector<worker> workers);

  /// The next in turn. Any thread.
  [[nodiscard]] const worker& next() const;
  [[nodiscard]] const std::vector<worker>& all() const { return workers_; }
  [[nodiscard]] std::size_t size() const { return workers_.size(); }
  /// Drops the handles.
  void clear() { workers_.clear(); }

 private:
  std::vector<worker> workers_;
  std::shared_ptr<std::atomic<std::size_t>> turn_;
};

/// The behavior of a worker. It blocks: the product spawns it detached.
[[nodiscard]] worker::behavior_type make_worker(worker::pointer self);
/// The same, on a thread that steps back (niceness.hpp).
[[nodiscard]] worker::behavior_type make_background_worker(worker::pointer self);

/// Runs `blocking() -> result<T>` on `on` and then `then(result<T>)` inside the actor `self`. When the worker
/// ends or `blocking` throws, `then` gets that as an error; when `self` ends first, `then` never runs.
template <class Self, class Blocking, class Then>
void run_on(const worker& on, Self* self, Blocking blocking, Then then) {
  using outcome = std::invoke_result_t<Blocking&>;
  auto slot = std::make_shared<std::optional<outcome>>();
  auto piece = work{[slot, blocking = std::move(blocking)]() mutable { slot->emplace(blocking()); }};
  auto settle = std::make_shared<Then>(std::move(then));
  self->request(on, caf::infinite, std::move(piece))
      .then([slot, settle](const work_done&) { (*settle)(std::move(**slot)); },
            [settle](const caf::error& problem) { (*settle)(outcome(tl::unexpected(from_caf(problem)))); });
}

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::work)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::work_done)
