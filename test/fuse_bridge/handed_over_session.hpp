#pragma once
#include <fcntl.h>
#include <sys/mount.h>

#include "fuse_bridge/fuse_mount_session.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/skipped.hpp"

namespace firstlight {

/// A session of the kernel without a mounter above it, mounted on a new folder: one process after the other
/// answers it. All of them are this one; each has a core of its own. The mount goes at the end of its life.
class handed_over_session {
 public:
  /// The first process mounts.
  handed_over_session(std::filesystem::path folder, std::unique_ptr<session_core> first)
      : point_(std::move(folder)), guard_(point_) {
    std::filesystem::create_directory(point_);
    auto started = fuse_mount_session::start(std::move(first), point_);
    if (!started) FAIL(to_string(started.error()));
    session_ = std::move(*started);
  }
  ~handed_over_session() { umount2(point_.c_str(), MNT_DETACH); }
  handed_over_session(const handed_over_session&) = delete;
  handed_over_session& operator=(const handed_over_session&) = delete;

  [[nodiscard]] const std::filesystem::path& point() const { return point_; }
  /// Whether another process can go on with it; says so in the test's output if not. Precondition: the kernel
  /// has been answered once.
  [[nodiscard]] bool can_go_on() {
    const auto left = session_->what_to_keep();
    if (!left.after_crash) {
      test::note_skipped("this kernel repeats no requests (Linux 6.9)");
      return false;
    }
    kept_ = {std::make_shared<const file_descriptor>(fcntl(left.device, F_DUPFD_CLOEXEC, 0)), left.init};
    return true;
  }
  /// The process that answers ends. Precondition of this and of all that follows: `can_go_on`.
  void end() { session_.reset(); }
  /// It leaves what it has for the next one.
  void leave() {
    session_->leave_behind();
    end();
  }
  /// The next process goes on with what the one before has left.
  void go_on(std::unique_ptr<session_core> next) { go_on(std::move(next), kept_); }
  /// Likewise, and begins with these messages of the kernel; nothing is repeated to it.
  void go_on_with(std::unique_ptr<session_core> next, bytes_view messages) {
    auto left = kept_;
    std::vector<std::byte> told(left.init.bytes.begin(), left.init.bytes.end());
    told.insert(told.end(), messages.begin(), messages.end());
    left.unanswered = share(std::move(told));
    go_on(std::move(next), left);
  }
  /// The device, while no process answers.
  [[nodiscard]] int device() const { return kept_.device->get(); }

 private:
  void go_on(std::unique_ptr<session_core> next, const kept_session& left) {
    auto taken = fuse_mount_session::take_over(std::move(next), left);
    if (!taken) FAIL(to_string(taken.error()));
    session_ = std::move(*taken);
  }

  std::filesystem::path point_;
  std::unique_ptr<fuse_mount_session> session_;
  kept_session kept_;
  watchdog guard_;
};

}  // namespace firstlight
