#include "fuse_bridge/writable/copy_thread.hpp"

#include <pthread.h>

namespace firstlight {

void copy_thread::add(job what) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      jobs_.push_back(std::move(what));
      if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
      changed_.notify_one();
      return;
    }
  }
  what(true);
}

void copy_thread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void copy_thread::run() {
  pthread_setname_np(pthread_self(), "promotion");
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const auto next = std::move(jobs_.front());
    jobs_.pop_front();
    const bool too_late = stopping_;
    lock.unlock();
    next(too_late);
  }
}

}  // namespace firstlight
