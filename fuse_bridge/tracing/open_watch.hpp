#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_set>

#include "actors/access_recorder.hpp"
#include "schemas/toc.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// A mount whose opens are noted.
struct watched_mount {
  std::filesystem::path target;
  /// As the lowerdir of overlays above it names it: their opens are noted too. Empty: there are none.
  std::string layer{};
  std::shared_ptr<const toc_view> toc;
};

/// OPEN WATCH: notes which files of a mount are opened, whoever serves their reads: most never reach FUSE.
/// The kernel reports opens below the mount's super block, so also those inside of containers. Containers of
/// containerd run on an overlay file system of their own, whose opens the mount below does not see: such
/// overlays are found in the mount table as they appear, and watched with it. A file that is not the image's
/// under the path by which it is opened first is ignored from then on. One thread of its own; members from
/// any thread. Source: fanotify(7), proc_pid_mountinfo(5).
class open_watch {
 public:
  /// Errors: `unsupported` without fanotify, `io`.
  [[nodiscard]] static result<std::unique_ptr<open_watch>> start();
  ~open_watch();
  open_watch(const open_watch&) = delete;
  open_watch& operator=(const open_watch&) = delete;

  /// From each beginning of a recording until it finishes; now, if there is one already. `refused` is called
  /// with what keeps opens from being noted, from any thread: `io`, or `limit_exceeded` when the kernel lets
  /// this user watch no further mount. The recorder is told too.
  void watch(watched_mount mount, const std::shared_ptr<access_recorder>& recorder,
             std::function<void(const error&)> refused);

 private:
  struct watched {
    watched_mount mount;
    std::weak_ptr<access_recorder> recorder;
    file_descriptor group;                     ///< of fanotify
    std::set<std::string> overlays{};          ///< those above, watched or older than the recording
    std::vector<std::string> points{};         ///< below which the same files are seen
    std::unordered_set<std::uint32_t> seen{};  ///< contents that have been noted
    bool missed = false;                       ///< some opens, and it has been logged
  };
  struct shared_state {
    file_descriptor poller;
    std::mutex mutex;  // held while events are read, so that none is in use once a watch is dropped
    bool ended = false;
    std::map<int, watched> mounts;  ///< by the number of their group
  };

  open_watch(std::shared_ptr<shared_state> state, file_descriptor stop, file_descriptor table);
  void run();
  static result<void> attach(const std::shared_ptr<shared_state>& state, const watched_mount& mount,
                             const std::shared_ptr<access_recorder>& recorder);
  static void detach(shared_state& state, int group);
  static void find_overlays(shared_state& state);
  static void read_events(watched& from);
  static void note_missed(watched& from, const char* why);

  std::shared_ptr<shared_state> state_;
  file_descriptor stop_;
  file_descriptor table_;  ///< tells when the mount table changes
  std::thread thread_;
};

}  // namespace firstlight
