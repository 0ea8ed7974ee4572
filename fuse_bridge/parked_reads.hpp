#pragma once
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "actors/instance_messages.hpp"
#include "fuse_bridge/tracing/read_note.hpp"

struct fuse_req;

namespace firstlight {

/// A kernel request that has not been answered. Whoever takes it out of the table owes the answer.
struct parked_request {
  fuse_req* request = nullptr;
  std::shared_ptr<session_counters> counters;  ///< of the mount that the file belongs to
  std::shared_ptr<const toc_view> toc;
  std::uint32_t content = 0;  ///< number in the TOC
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;   ///< ends inside the content
  std::uint32_t thread = 0;  ///< of the reader; 0 when the kernel does not tell
  /// Set when the blocks are waited for by something other than a read: called with 0 once they are there,
  /// else with an errno, and then answers.
  std::function<void(int)> resume{};
  read_notes notes{};                ///< of a read
  instant since{};                   ///< of a read: when it began to wait
  std::vector<std::byte> message{};  ///< as the kernel sent it; empty if it is served again
};

/// The requests of one session that wait for blocks. Any thread.
class parked_reads {
 public:
  explicit parked_reads(std::uint32_t parked_max) : parked_max_(parked_max) {}

  /// A number that no request of this session has had.
  [[nodiscard]] waiter_id next_id();

  /// @returns whether a signal has reached the reader already. Errors: `limit_exceeded`, `cancelled` after
  /// `close`; the request then stays with the caller.
  result<bool> park(waiter_id id, const parked_request& request);

  [[nodiscard]] std::optional<parked_request> take(waiter_id id);
  /// All of one mount, which its counters name.
  [[nodiscard]] std::vector<parked_request> take_of(const session_counters& mount);

  /// The reader's thread, of a request that is still parked.
  [[nodiscard]] std::optional<std::uint32_t> thread_of(waiter_id id) const;

  /// Takes all out; from now on nothing can be parked.
  [[nodiscard]] std::vector<parked_request> close();
  /// The same; what could have been parked is from now on left for the next process, unanswered.
  [[nodiscard]] std::vector<parked_request> leave();
  [[nodiscard]] bool left() const;

  [[nodiscard]] std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<waiter_id, parked_request> requests_;
  std::uint64_t last_id_ = 0;
  std::uint32_t parked_max_;
  bool closed_ = false;
  bool left_ = false;
};

}  // namespace firstlight
