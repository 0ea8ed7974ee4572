#include "actors/net/kj_loop.hpp"

#include <kj/debug.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <csignal>
#include <future>

#include <algorithm>

namespace firstlight {
namespace {

// Signals belong to main; a write to a closed socket must be an error, not SIGPIPE.
void block_all_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

void run_logged(kj::Function<void()>& task) {
  KJ_IF_MAYBE (thrown, kj::runCatchingExceptions([&] { task(); }))
    spdlog::error("transport: a task failed: {}", thrown->getDescription().cStr());
}

// How many promise callbacks may run before the sockets are looked at again: without a limit a busy
// connection delays the calls of the others by 10 to 20 ms.
constexpr kj::uint turns_between_polls = 16;

}  // namespace

kj_loop::kj_loop() {
  auto up = std::make_shared<std::promise<void>>();
  auto ready = up->get_future();
  thread_ = std::thread([this, up] {
    block_all_signals();
    try {
      work([&] { up->set_value(); });
    } catch (const kj::Exception& thrown) {
      up->set_exception(std::make_exception_ptr(std::runtime_error(thrown.getDescription().cStr())));
    }
  });
  try {
    ready.get();
  } catch (...) {
    thread_.join();
    throw;
  }
}

kj_loop::~kj_loop() {
  stop();
}

void kj_loop::work(kj::Function<void()> started) {
  auto io = kj::setupAsyncIo();
  io.waitScope.setBusyPollInterval(turns_between_polls);
  io_ = &io;
  auto quit = kj::newPromiseAndFulfiller<void>();
  quit_ = kj::mv(quit.fulfiller);
  started();
  drain().exclusiveJoin(kj::mv(quit.promise)).wait(io.waitScope);
  drop_rest();
  io_ = nullptr;
}

// Residents may post while they end, so nothing is destroyed under the lock.
void kj_loop::drop_rest() {
  std::vector<kj::Function<void()>> queue;
  {
    const std::lock_guard guard(mutex_);
    closed_ = true;
    queue.swap(queue_);
    wake_ = nullptr;
  }
  queue.clear();
  while (!residents_.empty()) {
    auto last = std::move(residents_.back());
    residents_.pop_back();
    last.reset();
  }
}

bool kj_loop::post(kj::Function<void()> task) {
  kj::Own<kj::CrossThreadPromiseFulfiller<void>> wake;
  {
    const std::lock_guard guard(mutex_);
    if (closed_) return false;
    queue_.push_back(kj::mv(task));
    wake = kj::mv(wake_);
  }
  if (wake.get() != nullptr) wake->fulfill();
  return true;
}

kj::Promise<void> kj_loop::drain() {
  std::vector<kj::Function<void()>> batch;
  kj::Promise<void> next = kj::READY_NOW;
  {
    const std::lock_guard guard(mutex_);
    batch.swap(queue_);
    if (batch.empty()) {
      auto wake = kj::newPromiseAndCrossThreadFulfiller<void>();
      wake_ = kj::mv(wake.fulfiller);
      next = kj::mv(wake.promise);
    }
  }
  for (auto& task : batch) run_logged(task);
  return next.then([this] { return drain(); });
}

result<void> kj_loop::run(kj::Function<void()> task) {
  std::promise<result<void>> outcome;
  auto done = outcome.get_future();
  // `answered` outlives a task that the loop drops at its end: then the broken promise tells.
  const bool posted = post([task = kj::mv(task), outcome = std::move(outcome)]() mutable {
    KJ_IF_MAYBE (thrown, kj::runCatchingExceptions([&] { task(); }))
      outcome.set_value(fail(errc::io, thrown->getDescription().cStr()));
    else
      outcome.set_value({});
  });
  if (!posted) return fail(errc::cancelled, "the transport has stopped");
  try {
    return done.get();
  } catch (const std::future_error&) {
    return fail(errc::cancelled, "the transport has stopped");
  }
}

void kj_loop::stop() {
  std::call_once(stopped_, [this] {
    post([this] { quit_->fulfill(); });
    thread_.join();
  });
}

void kj_loop::settle(std::shared_ptr<void> resident) {
  residents_.push_back(std::move(resident));
}

void kj_loop::evict(const void* resident) {
  const auto found = std::find_if(residents_.begin(), residents_.end(),
                                  [&](const auto& one) { return one.get() == resident; });
  if (found == residents_.end()) return;
  // Destroyed by the next batch: the caller may be inside one of the resident's own promises.
  post([gone = std::move(*found)]() mutable { gone.reset(); });
  residents_.erase(std::find_if(residents_.begin(), residents_.end(), [](const auto& one) { return !one; }));
}

}  // namespace firstlight
