#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace firstlight {

/// Carries out what takes its time, one after the other, so that a session's threads need not.
class copy_thread {
 public:
  /// Called with whether it is too late: then it only answers.
  using job = std::function<void(bool too_late)>;

  copy_thread() = default;
  ~copy_thread() { stop(); }
  copy_thread(const copy_thread&) = delete;
  copy_thread& operator=(const copy_thread&) = delete;

  /// Any thread. The thread is started with the first job. After `stop` the job is called here, too late.
  void add(job what);
  /// Waits for the job that runs; those that have not begun are too late. From one thread.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<job> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace firstlight
