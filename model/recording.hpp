#pragma once
#include <unordered_map>

#include "model/instant.hpp"
#include "model/trace.hpp"

namespace firstlight {

/// When a recording ends by itself, and what it may hold. All values are positive.
struct recording_limits {
  std::chrono::milliseconds settle_time{10'000};  ///< no first access for so long: the start has settled
  std::chrono::milliseconds time_max{120'000};    ///< a start takes no longer
  std::uint32_t contents_max = 65'536;            ///< further files are not recorded
  std::uint32_t runs_max = 262'144;
};

/// One content that a start has read.
struct recorded_content {
  std::uint32_t content = 0;  ///< number in the TOC
  std::chrono::nanoseconds access{0};
  std::vector<traced_run> runs;  ///< by access; empty: it was opened only
};

/// RECORDING: the first accesses of one start, without repeats. Time comes from the caller. Not thread-safe.
class recording {
 public:
  explicit recording(instant start, recording_limits limits = {})
      : start_(start), last_(start), limits_(limits) {}

  /// A file with this content was opened.
  void opened(std::uint32_t content, instant when);
  /// Blocks of a content of `blocks` blocks were read at `when`, after having waited for `wait`. What was
  /// read before is not noted again.
  void read(const block_run& run, std::uint32_t blocks, instant when, std::chrono::nanoseconds wait);

  /// A program that waited goes on now: what it reads next belongs to the same start.
  void goes_on(instant now) { last_ = std::max(last_, now); }

  /// Whether the start is over: nothing new has been read for a while, or it takes too long.
  [[nodiscard]] bool settled(instant now) const {
    return too_long(now) || (!contents_.empty() && now - last_ >= limits_.settle_time);
  }
  [[nodiscard]] bool too_long(instant now) const { return now - start_ >= limits_.time_max; }
  /// Grows with each file and each run of blocks that is noted.
  [[nodiscard]] std::size_t noted() const { return contents_.size() + runs_; }

  /// A copy of all that was read by now, in no order.
  [[nodiscard]] std::vector<recorded_content> so_far() const;
  /// All that was read, by first access.
  [[nodiscard]] std::vector<recorded_content> take();

 private:
  struct entry {
    recorded_content what;
    block_set seen;
  };
  entry* at(std::uint32_t content, std::uint32_t blocks, instant when);

  instant start_;
  instant last_;  ///< when something was read first
  recording_limits limits_;
  std::unordered_map<std::uint32_t, entry> contents_;
  std::size_t runs_ = 0;
};

}  // namespace firstlight
