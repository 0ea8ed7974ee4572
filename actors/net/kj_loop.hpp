#pragma once
#include <kj/async-io.h>
#include <kj/function.h>

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "model/result.hpp"

namespace firstlight {

/// One thread that runs all of Cap'n Proto's and KJ's promises. Capabilities and promises live and
/// die on it; everybody else hands closures in and gets CAF messages out. Nothing may block it.
/// Outlives the actors and listeners made on it; `stop` (or the destructor) ends it within milliseconds.
class kj_loop {
 public:
  kj_loop();
  ~kj_loop();
  kj_loop(const kj_loop&) = delete;
  kj_loop& operator=(const kj_loop&) = delete;

  /// Any thread, never blocks: runs `task` on the loop, in the order of the calls. What it throws is logged.
  /// @returns false once the loop has stopped; `task` is then destroyed by the caller's thread.
  bool post(kj::Function<void()> task);

  /// Any thread but the loop's: runs `task` there and waits. Errors: `io` with what it threw, `cancelled`
  /// after stop.
  [[nodiscard]] result<void> run(kj::Function<void()> task);

  /// Any thread but the loop's, idempotent: destroys all residents on the loop, then joins it.
  void stop();

  // ---- on the loop's own thread only ----------------------------------------------------------

  [[nodiscard]] kj::AsyncIoContext& io() { return *io_; }
  [[nodiscard]] kj::Timer& timer() { return io_->provider->getTimer(); }
  /// Keeps an object until `evict` or the stop, and destroys it on this thread outside of its own promises.
  void settle(std::shared_ptr<void> resident);
  void evict(const void* resident);

 private:
  void work(kj::Function<void()> started);
  kj::Promise<void> drain();
  void drop_rest();

  std::mutex mutex_;
  std::vector<kj::Function<void()>> queue_;
  kj::Own<kj::CrossThreadPromiseFulfiller<void>> wake_;
  bool closed_ = false;

  kj::AsyncIoContext* io_ = nullptr;
  kj::Own<kj::PromiseFulfiller<void>> quit_;
  std::vector<std::shared_ptr<void>> residents_;
  std::once_flag stopped_;
  std::thread thread_;
};

}  // namespace firstlight
