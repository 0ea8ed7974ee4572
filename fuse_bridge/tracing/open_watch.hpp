#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "actors/access_recorder.hpp"
#include "schemas/toc.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// OPEN WATCH: notes which files of a mount are opened, whoever serves their reads: most never reach FUSE.
/// The kernel reports opens below the mount's super block, so also those inside of containers. One thread of
/// its own; members from any thread. Source: fanotify(7).
class open_watch {
 public:
  /// Errors: `unsupported` without fanotify, `io`.
  [[nodiscard]] static result<std::unique_ptr<open_watch>> start();
  ~open_watch();
  open_watch(const open_watch&) = delete;
  open_watch& operator=(const open_watch&) = delete;

  /// From now on until the recorder finishes. Must outlive that, or be ended before. Errors: `io`,
  /// `limit_exceeded` when the kernel lets this user watch no further mount.
  result<void> watch(const std::filesystem::path& target, std::shared_ptr<const toc_view> toc,
                     const std::shared_ptr<access_recorder>& recorder);

 private:
  struct watched {
    std::string target;
    std::shared_ptr<const toc_view> toc;
    std::weak_ptr<access_recorder> recorder;
    file_descriptor group;                     ///< of fanotify
    std::unordered_set<std::uint32_t> seen{};  ///< contents that have been noted
  };

  struct shared_state {
    std::mutex mutex;  // held while events are read, so that none is in use once a watch is dropped
    std::map<int, watched> mounts;  ///< by the number of their group
  };

  open_watch(file_descriptor poller, file_descriptor stop);
  void run();
  static void read_events(watched& from);

  std::shared_ptr<shared_state> state_ = std::make_shared<shared_state>();
  file_descriptor poller_;
  file_descriptor stop_;
  std::thread thread_;
};

}  // namespace firstlight
