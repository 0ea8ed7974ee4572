#pragma once
#include <chrono>
#include <map>
#include <set>

#include "actors/instance_messages.hpp"
#include "config/fuse_limits.hpp"
#include "model/readiness.hpp"
#include "storage/content_store.hpp"

namespace firstlight {

/// What came of a new wait.
struct wait_started {
  std::vector<block_run> want;   ///< to be asked for now; may be empty
  bool ready = false;            ///< nothing is missing (any more): not parked
  std::optional<error> failure;  ///< it cannot come: not parked
};

/// The waits of one mount with their times and failures: `readiness` and what people want to know of it.
/// Time comes from the caller. Owned by one actor; not thread-safe.
class instance_waits {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  instance_waits(std::shared_ptr<const toc_view> toc, const content_store& store, fuse_limits limits);

  /// Looks at the store after the reader has been published, so no arrival falls between the two. While the
  /// contents are not known the reader is held back; what it wants only starts a delivery that has failed
  /// again.
  wait_started start(const park_read& read, time_point now);

  /// A reader that was held back.
  struct held {
    park_read read;
    time_point since;
  };
  /// The contents have become known: takes all held readers out; each is to be resumed.
  [[nodiscard]] std::vector<held> take_held();
  wait_started resume(const held& reader, time_point now);

  /// `out_of_turn`: a want brought them forward. @returns the readers to let go.
  std::vector<waiter_id> arrived(const std::vector<block_run>& runs, bool out_of_turn, time_point now);
  std::vector<waiter_id> failed(const std::vector<block_run>& runs, const error& why, time_point now);
  void forget(waiter_id waiter, time_point now);
  /// Nobody waits any more: `why` is noted, if it is a failure.
  std::vector<waiter_id> all_over(std::optional<error> why, time_point now);

  /// @returns the readers that have waited for too long while nothing at all arrived.
  std::vector<waiter_id> overdue(time_point now);

  [[nodiscard]] std::vector<block_run> re_ask() { return readiness_.re_ask(); }
  [[nodiscard]] bool anyone() const { return !waiting_.empty(); }

  /// Fills in what the waits know.
  void describe(instance_status& status, time_point now, const std::string& cause) const;

 private:
  struct failure {
    time_point at;
    error why;
  };
  using block_key = std::uint64_t;  ///< content << 32 | block

  wait_started look_up(const park_read& read, time_point since, time_point now);
  std::vector<waiter_id> clear();
  std::optional<error> known_failure(const std::vector<block_run>& missing, time_point now);
  void extend(std::vector<block_run>& want, const content_info& content) const;
  void remember_failed(const std::vector<block_run>& runs, const error& why, time_point now);
  std::vector<waiter_id> end(std::vector<waiter_id> waiters, time_point now);
  void note_waited(std::chrono::nanoseconds waited);

  std::shared_ptr<const toc_view> toc_;
  const content_store* store_;
  fuse_limits limits_;
  readiness readiness_;
  std::map<waiter_id, held> waiting_;  ///< the oldest first: ids count up; held ones too
  std::set<waiter_id> held_;
  std::map<block_key, failure> failed_;
  time_point last_progress_{};
  std::uint64_t waits_ = 0;
  std::uint64_t misses_ = 0;
  std::chrono::nanoseconds wait_total_{0};
  std::chrono::nanoseconds wait_longest_{0};
  std::optional<error> last_error_;
};

}  // namespace firstlight
