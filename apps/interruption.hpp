#pragma once
#include <chrono>
#include <csignal>
#include <optional>

namespace firstlight {

/// While it lives, SIGINT, SIGTERM, SIGHUP (unless it is ignored) and SIGQUIT do not end this process but
/// wait to be taken: for commands that have to clean up. Programs are started with `before()`. One at a time,
/// on the main thread.
class interruption {
 public:
  interruption();
  /// A signal that nobody took takes effect now.
  ~interruption();
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;

  /// Readable once a signal has come: a signalfd(2). -1 if the process has too many open files; then signals
  /// wait until the end.
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// Waits for a signal, at most so long. @returns whether one is there to be taken
  [[nodiscard]] bool wait_for(std::chrono::milliseconds time) const;
  /// The signal that came first of those not taken yet.
  [[nodiscard]] std::optional<int> take();
  /// The signals that were blocked before.
  [[nodiscard]] const sigset_t& before() const { return before_; }

 private:
  sigset_t before_{};
  int descriptor_ = -1;
};

}  // namespace firstlight
