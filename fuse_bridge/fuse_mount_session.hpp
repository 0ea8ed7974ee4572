#pragma once
#include <atomic>
#include <filesystem>
#include <thread>

#include "actors/kept_mount.hpp"
#include "fuse_bridge/session_context.hpp"

struct fuse_session;

namespace firstlight {

/// One FUSE mount and the threads that take its requests. Started and stopped by one owner, whose
/// thread is not one of the session's.
class fuse_mount_session {
 public:
  /// Opens /dev/fuse, mounts on `mount_point` (an empty directory) and starts to answer.
  /// Errors: `io`, `denied` without the right to mount, `not_found` without FUSE.
  static result<std::unique_ptr<fuse_mount_session>> start(session_parts parts,
                                                           const std::filesystem::path& mount_point);

  /// Goes on with a session whose process has died. The kernel asks again whatever that process owed it.
  /// Errors: `unsupported` when the kernel cannot do that, `io`.
  static result<std::unique_ptr<fuse_mount_session>> take_over(session_parts parts, const kept_session& left);

  /// What another process needs to go on with this session.
  struct handover {
    int device = -1;  ///< the session's; valid as long as it
    shared_bytes
        init;  ///< empty before the kernel's first message, or if this kernel does not repeat requests
  };
  [[nodiscard]] handover what_to_keep();

  /// Refuses all parked reads with EIO, ends the threads and closes the device: whatever is still
  /// mounted or open gives errors. Unmount first.
  ~fuse_mount_session();
  fuse_mount_session(const fuse_mount_session&) = delete;
  fuse_mount_session& operator=(const fuse_mount_session&) = delete;

 private:
  fuse_mount_session(session_parts parts, file_descriptor stop)
      : context_(std::move(parts), std::move(stop)) {}
  static result<std::unique_ptr<fuse_mount_session>> make(session_parts parts);
  result<void> open(const std::filesystem::path& mount_point);
  result<void> use(file_descriptor device);
  result<void> go_on(const kept_session& left);
  void start_threads();
  void loop();

  session_context context_;
  ::fuse_session* session_ = nullptr;
  std::atomic<std::uint32_t> running_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

}  // namespace firstlight
