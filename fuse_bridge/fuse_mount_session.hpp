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

  /// Goes on with a session whose process has died. The kernel asks again whatever that process owed it.
  /// Errors: `unsupported` when the kernel cannot do that, `io`.
  static result<std::unique_ptr<fuse_mount_session>> take_over(std::unique_ptr<session_core> core,
                                                               const kept_session& left);

  /// What another process needs to go on with this session.
  struct handover {
    int device = -1;  ///< the session's; valid as long as it
    shared_bytes
        init;  ///< empty before the kernel's first message, or if this kernel does not repeat requests
  };
  [[nodiscard]] handover what_to_keep();

  /// Whether anything of it is still mounted or open, anywhere: else the kernel has ended the session.
  [[nodiscard]] bool alive() const;

  /// At its end requests that wait shall not be refused: a keeper holds the device, and the next process goes
  /// on with them.
  void leave_behind() { left_behind_ = true; }

  /// Refuses all waiting requests, unless it is to be left behind, ends the threads and closes its descriptor
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
  void start_threads();
  void loop();

  std::unique_ptr<session_core> core_;
  ::fuse_session* session_ = nullptr;
  std::atomic<std::uint32_t> running_{0};
  std::atomic<bool> stopping_{false};
  bool left_behind_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace firstlight
