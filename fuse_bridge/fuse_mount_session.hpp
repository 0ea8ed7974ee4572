#pragma once
#include <atomic>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "actors/kept_mount.hpp"
#include "fuse_bridge/session_core.hpp"

struct fuse_session;

namespace firstlight {

/// One FUSE mount and the threads that take its requests. Started and stopped by one owner, whose
/// thread is not one of the session's.
class fuse_mount_session {
 public:
  /// Opens /dev/fuse, mounts `core` on `mount_point` (an empty directory) and starts to answer.
  /// Errors: `io`, `denied` without the right to mount, `not_found` without FUSE.
  static result<std::unique_ptr<fuse_mount_session>> start(std::unique_ptr<session_core> core,
                                                           const std::filesystem::path& mount_point);

  /// Goes on with a session whose process has ended, and with what that process owed: the kernel asks for it
  /// again, or that process has told it. Errors: `unsupported` when neither is so, `corrupt`, `io`.
  static result<std::unique_ptr<fuse_mount_session>> take_over(std::unique_ptr<session_core> core,
                                                               const kept_session& left);

  /// What another process needs to go on with this session.
  struct handover {
    int device = -1;           ///< the session's; valid as long as it
    shared_bytes init;         ///< empty before the kernel's first message
    bool after_crash = false;  ///< it can, whatever becomes of this one: the kernel repeats what it asked
    bool after_leave = false;  ///< it can after `leave_behind`
  };
  [[nodiscard]] handover what_to_keep();

  /// Whether anything of it is still mounted or open, anywhere: else the kernel has ended the session.
  [[nodiscard]] bool alive() const;

  /// Ends the threads; what waits is not answered: it is for the next process. @returns the kernel's first
  /// message and those that are not answered (unanswered.hpp), for kernels that do not repeat them
  std::vector<std::byte> leave_behind();

  /// Refuses all waiting requests, unless it has been left behind, ends the threads and closes its descriptor
  /// of the device. If that was the last one whatever is still mounted or open gives errors: unmount first.
  ~fuse_mount_session();
  fuse_mount_session(const fuse_mount_session&) = delete;
  fuse_mount_session& operator=(const fuse_mount_session&) = delete;

 private:
  explicit fuse_mount_session(std::unique_ptr<session_core> core) : core_(std::move(core)) {}
  static result<std::unique_ptr<fuse_mount_session>> make(std::unique_ptr<session_core> core);
  result<void> open(const std::filesystem::path& mount_point);
  result<void> use(file_descriptor device);
  result<void> go_on(const kept_session& left);
  result<void> take_waiting(const kept_session& left);
  void start_threads();
  void loop();
  void end_threads();

  std::unique_ptr<session_core> core_;
  ::fuse_session* session_ = nullptr;
  std::atomic<std::uint32_t> running_{0};
  std::atomic<bool> stopping_{false};
  bool left_behind_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace firstlight
