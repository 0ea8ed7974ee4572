#pragma once
#include <atomic>
#include <functional>
#include <mutex>

#include "model/doubtful_reads.hpp"
#include "model/recording.hpp"

namespace firstlight {

/// Whether reads tell blocks: not where the kernel reads ahead of programs, as of complete images.
enum class recorded_detail : std::uint8_t { blocks, files };

/// ACCESS RECORDER: where the threads that serve one mount note what its programs read, until the recording
/// is finished; then another one may begin. All members from any thread; noting takes a lock for less than a
/// microsecond, and nothing while nothing is recorded.
class access_recorder {
 public:
  /// Records nothing until `begin`.
  explicit access_recorder(recording_limits limits)
      : limits_(limits), recording_(std::chrono::steady_clock::now(), limits) {}
  /// Records at once.
  access_recorder(std::chrono::nanoseconds started, recorded_detail detail, recording_limits limits)
      : access_recorder(limits) {
    begin(started, detail);
  }

  /// Begins a recording of a start at `started`, since the epoch. @returns false if another one has not been
  /// finished
  bool begin(std::chrono::nanoseconds started, recorded_detail detail);

  /// False while nothing is recorded: nothing need be noted.
  [[nodiscard]] bool active() const { return active_.load(std::memory_order_relaxed); }
  /// Of the start, since the epoch.
  [[nodiscard]] std::chrono::nanoseconds started() const;

  void opened(std::uint32_t content, instant when);
  /// Blocks that were there at once.
  void read(const block_run& run, std::uint32_t blocks_of_content);
  /// A reader begins to wait for blocks; `waited` follows in any case.
  void waits() { ++waiting_; }
  void waited(const block_run& run, std::uint32_t blocks_of_content, instant since);
  /// It got an error, so nothing was read.
  void gave_up() { --waiting_; }

  /// The same of reads that another mount may have made: read_claim::if_opened.
  void read_if_opened(const block_run& run, std::uint32_t blocks_of_content);
  void waits_if_opened(std::uint32_t content);
  void waited_if_opened(const block_run& run, std::uint32_t blocks_of_content, instant since);
  void gave_up_if_opened(std::uint32_t content);

  /// From now on `opened` tells of each content that is opened on the mount, or `miss_opens` follows.
  void follow_opens() { follows_opens_ = true; }
  /// Opens are not told, or not all of them: what may be another mount's read counts.
  void miss_opens();
  [[nodiscard]] bool follows_opens() const { return follows_opens_; }

  /// Another program starts: what it reads belongs to what is being recorded.
  void goes_on();
  [[nodiscard]] bool settled(instant now) const;

  /// Called by each `begin` from now on, once notes are taken: attaches what notes from outside the mount's
  /// own threads.
  void on_begin(std::function<void()> attach);
  /// Called once by `stop` or `finish`, while notes are still taken: ends what notes from outside the mount's
  /// own threads.
  void on_finish(std::function<void()> detach);

  /// Nothing is noted any more, and nothing holds the mount. What was read stays to be taken by `finish`.
  void stop();

  /// How much has been noted by now: it grows with each first access.
  [[nodiscard]] std::size_t noted() const;
  /// What was read by now, in no order; the recording goes on. Noting waits while it is copied.
  [[nodiscard]] std::vector<recorded_content> so_far() const;

  /// Ends the recording. @returns what was read; nothing the second time
  [[nodiscard]] std::vector<recorded_content> finish();

 private:
  void note_if_opened(const doubtful_read& read);
  void note(const std::vector<doubtful_read>& reads);

  recording_limits limits_;
  std::atomic<bool> active_{false};  // set with the lock, read without
  std::atomic<recorded_detail> detail_{recorded_detail::blocks};
  std::atomic<std::uint32_t> waiting_{0};
  std::atomic<bool> follows_opens_{false};
  mutable std::mutex mutex_;  // guards the following
  bool begun_ = false;        // and not finished
  std::chrono::nanoseconds started_{0};
  recording recording_;
  doubtful_reads doubtful_;
  std::function<void()> attach_;
  std::function<void()> detach_;
};

}  // namespace firstlight
