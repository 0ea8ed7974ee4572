#include "storage/beside.hpp"

#include <openssl/crypto.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace firstlight {
namespace {

/// A mount is prepared by two threads at most, and two mounts may be.
constexpr std::size_t helper_count = 2;

class helpers {
 public:
  helpers() {
    // Its clean-up at exit is registered before these threads' end, and so comes after it: later it would no
    // longer free what it keeps for a thread.
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, nullptr);
    for (std::size_t i = 0; i < helper_count; ++i)
      threads_.emplace_back([this](const std::stop_token& stop) { help(stop); });
  }

  void offer(std::shared_ptr<detail::offered_work> work) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(work));
    }
    offered_.notify_one();
  }

 private:
  void help(const std::stop_token& stop) {
    while (const auto next = take(stop))
      if (next->claim()) next->run();
  }

  std::shared_ptr<detail::offered_work> take(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!offered_.wait(lock, stop, [this] { return !waiting_.empty(); })) return nullptr;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    return next;
  }

  std::mutex mutex_;  // guards what waits
  std::condition_variable_any offered_;
  std::deque<std::shared_ptr<detail::offered_work>> waiting_;
  std::vector<std::jthread> threads_;  // the last: they end first
};

helpers& of_this_process() {
  static helpers those;
  return those;
}

}  // namespace

void detail::offer(std::shared_ptr<offered_work> work) {
  of_this_process().offer(std::move(work));
}

void start_helpers() {
  of_this_process();
}

}  // namespace firstlight
