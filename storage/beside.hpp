#pragma once
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <type_traits>

/// Small pieces of work beside their caller, where a thread made for each would take as long as the piece.
namespace firstlight {
namespace detail {

/// Work that exactly one thread does: whoever claims it first.
struct offered_work {
  std::function<void()> run;
  std::atomic<bool> claimed = false;

  /// True once: the caller does it now, or sees that nobody does.
  [[nodiscard]] bool claim() { return !claimed.exchange(true); }
};

/// To the helpers of this process, who are made by the first offer and stay to its end.
void offer(std::shared_ptr<offered_work> work);

}  // namespace detail

/// The outcome of work that goes on beside its caller. One thread. When it goes, the work has ended or never
/// begins, so that it may refer to what the caller has.
template <class T>
class beside_outcome {
 public:
  beside_outcome(std::shared_ptr<detail::offered_work> work, std::future<T> outcome)
      : work_(std::move(work)), outcome_(std::move(outcome)) {}
  ~beside_outcome() {
    if (outcome_.valid() && !work_->claim()) outcome_.wait();
  }
  beside_outcome(const beside_outcome&) = delete;
  beside_outcome& operator=(const beside_outcome&) = delete;

  /// Once. The caller does the work itself if no helper has begun, so helpers that are busy never delay it.
  /// Throws what the work throws.
  [[nodiscard]] T get() {
    if (work_->claim()) work_->run();
    return outcome_.get();
  }

 private:
  std::shared_ptr<detail::offered_work> work_;
  std::future<T> outcome_;
};

/// Begins `work`, which computes or writes files for a millisecond or so, on a thread that waits for such.
/// Any thread; `work` itself may not call this and wait.
template <class Work>
[[nodiscard]] auto beside(Work work) {
  using outcome = std::invoke_result_t<Work&>;
  auto task = std::make_shared<std::packaged_task<outcome()>>(std::move(work));
  auto future = task->get_future();
  auto offered = std::make_shared<detail::offered_work>();
  offered->run = [task] { (*task)(); };
  detail::offer(offered);
  return beside_outcome<outcome>(std::move(offered), std::move(future));
}

/// Makes the helpers now, so that nobody waits for them later. Any thread.
void start_helpers();

}  // namespace firstlight
