#pragma once
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "model/blocks.hpp"
#include "model/instant.hpp"

namespace firstlight {

struct doubtful_limits {
  std::chrono::milliseconds open_told{1'000};  ///< so long after a program has opened a file it is told
  std::uint32_t reads_max = 65'536;            ///< kept at once; of further ones it is as if nobody had read
};

/// A read that this or another start has made.
struct doubtful_read {
  block_run run;
  std::uint32_t blocks_of_content = 0;
  instant when{};
  std::chrono::nanoseconds wait{0};
};

/// DOUBTFUL READS: those of one recording that count if its own mount has opened what was read. Opens are
/// told after the first reads, so these are kept until then. Not thread-safe.
class doubtful_reads {
 public:
  explicit doubtful_reads(doubtful_limits limits = {}) : limits_(limits) {}

  /// @returns whether it counts already; else it is kept
  [[nodiscard]] bool counts(const doubtful_read& read);
  /// @returns the kept reads of the content that count from now on, in the order in which they came: what was
  /// read longer ago than an open takes to be told was read by another start
  [[nodiscard]] std::vector<doubtful_read> opened(std::uint32_t content, instant told);
  [[nodiscard]] bool is_opened(std::uint32_t content) const { return opened_.contains(content); }
  /// Nobody knows any more what is opened: all reads count from now on. @returns those that were kept, by
  /// time
  [[nodiscard]] std::vector<doubtful_read> count_all();

  /// Somebody begins to wait for blocks of a content; `waits_no_more` follows in any case.
  void waits(std::uint32_t content) { ++waiting_[content]; }
  void waits_no_more(std::uint32_t content);
  /// Whether somebody waits for what has been opened here, as far as that is known.
  [[nodiscard]] bool somebody_waits() const;

  /// Another recording begins. Who waits goes on to wait.
  void forget();

 private:
  void drop_old(instant now);

  doubtful_limits limits_;
  std::unordered_map<std::uint32_t, std::vector<doubtful_read>> kept_;  ///< by content
  std::unordered_set<std::uint32_t> opened_;
  std::unordered_map<std::uint32_t, std::uint32_t> waiting_;
  std::size_t reads_ = 0;  ///< kept
  instant dropped_{};      ///< old ones, last
  bool all_count_ = false;
};

}  // namespace firstlight
