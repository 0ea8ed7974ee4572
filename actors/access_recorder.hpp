#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "model/recording.hpp"

namespace firstlight {

/// Whether reads tell blocks: not where the kernel reads ahead of programs, as of complete images.
enum class recorded_detail : std::uint8_t { blocks, files };

/// ACCESS RECORDER: where the threads that serve one mount note what its programs read, until the recording
/// is finished. All members from any thread; noting takes a lock for less than a microsecond, and nothing
/// once it is over.
class access_recorder {
 public:
  access_recorder(std::chrono::nanoseconds started, recorded_detail detail, recording_limits limits)
      : started_(started), detail_(detail), recording_(std::chrono::steady_clock::now(), limits) {}

  /// False once it is over: nothing need be noted any more.
  [[nodiscard]] bool active() const { return active_.load(std::memory_order_relaxed); }
  /// Of the instance, since the epoch.
  [[nodiscard]] std::chrono::nanoseconds started() const { return started_; }

  void opened(std::uint32_t content, instant when);
  /// Blocks that were there at once.
  void read(const block_run& run, std::uint32_t blocks_of_content);
  /// A reader begins to wait for blocks; `waited` follows in any case.
  void waits() { ++waiting_; }
  void waited(const block_run& run, std::uint32_t blocks_of_content, instant since);
  /// It got an error, so nothing was read.
  void gave_up() { --waiting_; }

  [[nodiscard]] bool settled(instant now) const;

  /// Called once by `stop` or `finish`, while notes are still taken: ends what notes from outside the mount's
  /// own threads.
  void on_finish(std::function<void()> detach);

  /// Nothing is noted any more, and nothing holds the mount. What was read stays to be taken by `finish`.
  void stop();

  /// Ends the recording. @returns what was read; nothing the second time
  [[nodiscard]] std::vector<recorded_content> finish();

 private:
  std::chrono::nanoseconds started_;
  recorded_detail detail_;
  std::atomic<bool> active_{true};
  std::atomic<std::uint32_t> waiting_{0};
  mutable std::mutex mutex_;  // guards the following
  recording recording_;
  std::function<void()> detach_;
};

}  // namespace firstlight
