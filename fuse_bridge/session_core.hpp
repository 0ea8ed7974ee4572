#pragma once
#include <atomic>
#include <mutex>
#include <vector>

#include "config/fuse_limits.hpp"
#include "model/bytes.hpp"
#include "model/readiness.hpp"
#include "storage/posix_file.hpp"

struct fuse_lowlevel_ops;

namespace firstlight {

/// What a fuse_mount_session keeps of its device. Its own; file systems leave it alone.
struct session_channel {
  file_descriptor stop;                  ///< an eventfd: readable once the session's threads must end
  std::atomic<bool> stopped{false};      ///< no more requests are taken
  std::atomic<bool> greeted{false};      ///< the kernel's first message has been read
  std::mutex init_mutex;                 ///< guards `init`
  shared_bytes init;                     ///< that message
  bool replaying = false;                ///< it is answered once more, for this process only
  std::uint64_t init_unique = 0;         ///< what the kernel numbers that message with
  std::atomic<bool> passthrough{false};  ///< the kernel takes backing files on this device
};

/// A file system as a FUSE session sees it, and its user data in libfuse: operations find themselves by
/// `core_of<file system>(fuse_req_userdata(request))`.
class session_core {
 public:
  enum class access : std::uint8_t { read_only, read_write };

  session_core(access mounted, const fuse_limits& limits, bool wants_passthrough)
      : access_(mounted),
        loop_threads_(limits.loop_threads),
        wants_resend_(limits.resend),
        wants_passthrough_(wants_passthrough) {}
  virtual ~session_core() = default;
  session_core(const session_core&) = delete;
  session_core& operator=(const session_core&) = delete;

  /// Called on the session's threads; must not block.
  [[nodiscard]] virtual const fuse_lowlevel_ops& operations() const = 0;
  /// The kernel has ended the session. Called once, on one of its threads.
  virtual void ended() = 0;
  /// A signal has reached the reader of a request that waits under this number, or did before it waited.
  virtual void interrupted(waiter_id waiter) = 0;
  /// The session is about to end: every request that waits is answered with an error, and none waits any
  /// more.
  virtual void refuse_waiting() = 0;
  /// The same, but what waits is left to the next process, without an answer from this one. No thread of the
  /// session runs any more. @returns what the kernel had asked (unanswered.hpp), of a read-only file system
  virtual std::vector<std::byte> leave_waiting() = 0;

  /// The device that takes backing files (backing_files.hpp); -1: not on this kernel, or not wanted.
  [[nodiscard]] int passthrough_device() const { return channel_.passthrough ? device_ : -1; }
  void set_device(int device) { device_ = device; }
  /// The session's /dev/fuse; -1 before it is opened.
  [[nodiscard]] int device() const { return device_; }

  [[nodiscard]] access mounted_for() const { return access_; }
  [[nodiscard]] bool wants_resend() const { return wants_resend_; }
  [[nodiscard]] bool wants_passthrough() const { return wants_passthrough_; }
  [[nodiscard]] std::uint32_t loop_threads() const { return loop_threads_; }
  [[nodiscard]] session_channel& channel() { return channel_; }

 private:
  access access_;
  std::uint32_t loop_threads_;
  bool wants_resend_;
  bool wants_passthrough_;
  int device_ = -1;
  session_channel channel_;
};

template <class Core>
[[nodiscard]] Core& core_of(void* user_data) {
  return static_cast<Core&>(*static_cast<session_core*>(user_data));
}

}  // namespace firstlight
