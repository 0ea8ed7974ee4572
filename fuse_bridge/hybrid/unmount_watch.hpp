#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "storage/posix_file.hpp"

namespace firstlight {

/// Tells when a file system is really gone: unmounted everywhere, also lazily, and its last file closed. Uses
/// inotify(7), whose IN_UNMOUNT comes when the kernel ends the file system; a watch keeps nothing busy.
class unmount_watch {
 public:
  /// Errors: `io`, `limit_exceeded` when this user has too many inotify instances.
  static result<std::shared_ptr<unmount_watch>> make();

  /// Calls `gone` once, on the watch's own thread, after the file system that `folder` shows has ended.
  /// Errors: `io`, `limit_exceeded` for fs.inotify.max_user_watches.
  result<void> watch(const std::filesystem::path& folder, std::function<void()> gone);

  /// Nobody is told any more.
  ~unmount_watch();
  unmount_watch(const unmount_watch&) = delete;
  unmount_watch& operator=(const unmount_watch&) = delete;

 private:
  unmount_watch(file_descriptor events, file_descriptor stop);
  void run();
  void read_events();

  file_descriptor events_;
  file_descriptor stop_;
  std::mutex mutex_;  // guards `told_`; held while a watch is made, so that its end is not missed
  std::map<int, std::function<void()>> told_;
  std::thread thread_;
};

}  // namespace firstlight
