#pragma once
#include <atomic>
#include <caf/allowed_unsafe_message_type.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "model/blocks.hpp"
#include "model/readiness.hpp"
#include "schemas/toc.hpp"

/// Messages between a file-system instance, its FUSE bridge and those who mount.
namespace firstlight {

/// What a FUSE session counts while it answers on its own threads. Shared with the instance.
class session_counters {
 public:
  std::atomic<std::uint64_t> requests{0};    ///< of every kind
  std::atomic<std::uint64_t> reads{0};       ///< read requests
  std::atomic<std::uint64_t> read_bytes{0};  ///< answered
  std::atomic<std::uint64_t> read_errors{0};
  std::atomic<std::uint64_t> writes{0};         ///< write requests
  std::atomic<std::uint64_t> opens_through{0};  ///< files whose data the kernel takes from a backing file
  std::atomic<std::uint64_t> opens_by_fuse{
      0};  ///< files whose data comes through FUSE, where that is a choice

  void note_error(error why) {
    const std::lock_guard lock(mutex_);
    last_error_ = std::move(why);
  }
  /// Why the session itself failed a read last.
  [[nodiscard]] std::optional<error> last_error() const {
    const std::lock_guard lock(mutex_);
    return last_error_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<error> last_error_;
};

/// A read request of the kernel that waits for blocks.
struct park_read {
  waiter_id waiter{};  ///< names it in its session; never used twice
  block_run blocks;    ///< all that the request touches; one content
  inode_number inode = 0;
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;
  std::uint32_t thread = 0;  ///< of the reader, as the daemon's PID namespace numbers it; 0: not in it
};

/// The reader was killed; its request has been answered.
struct forget_read {
  waiter_id waiter{};
};

/// These waits are over: with a failure, or with all of their blocks in the content store.
struct reads_released {
  std::vector<waiter_id> waiters;
  std::optional<error> failure;
  bool mount_ends = false;  ///< why they fail: the mount that they waited with is taken down
};

/// A signal has reached a parked reader; perhaps it is a deadly one.
struct read_interrupted {
  waiter_id waiter{};
};

/// The kernel has ended the session: the last mount and the last open file are gone.
struct session_ended {};

enum class busy_mount : std::uint8_t {
  refuse,  ///< error `busy`; nothing has changed
  detach,  ///< take it out of sight; open files work until they are closed
};

struct unmount_request {
  busy_mount when_busy = busy_mount::refuse;
};

/// The answer to an unmount_request that was carried out.
struct unmounted {};

/// One parked read, for people.
struct waiting_read {
  std::uint32_t thread = 0;
  std::string path;  ///< in the image, without a leading '/'; the first of its names
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;
  std::chrono::milliseconds waiting{0};
  std::string cause;
};

struct instance_status {
  bool complete = false;  ///< all contents are there
  bool detached = false;  ///< unmounted, but files are still open
  std::uint64_t requests = 0;
  std::uint64_t reads = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t read_errors = 0;
  std::uint64_t writes = 0;
  std::uint64_t opens_through = 0;
  std::uint64_t opens_by_fuse = 0;
  std::uint64_t waits = 0;   ///< reads that had to wait
  std::uint64_t misses = 0;  ///< blocks that readers waited for and that the hub had to send out of turn
  std::chrono::milliseconds wait_total{0};
  std::chrono::milliseconds wait_longest{0};
  std::uint64_t waiting_now = 0;
  std::vector<waiting_read> waiting;  ///< the oldest, at most `waits_shown_max`
  std::uint32_t failed_blocks = 0;    ///< that have not arrived since
  std::string last_error;             ///< why reads failed last
};

/// Above the read-only image: kernel overlayfs. Both folders are on one file system and are made
/// when missing; they outlive the mount.
struct writable_layer {
  std::filesystem::path upper;
  std::filesystem::path work;
};

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::park_read)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::forget_read)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::reads_released)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::read_interrupted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::session_ended)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::unmount_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::unmounted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::instance_status)
