#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "fuse_bridge/writable/layer_tree.hpp"
#include "fuse_bridge/writable/os_result.hpp"
#include "fuse_bridge/writable/session_life.hpp"
#include "model/result.hpp"

namespace firstlight {

/// FILES WITHOUT A NAME on the mount that may be open: each has one here, its number for the kernel, in a
/// folder beside the work folder's other things. So the process that takes the session over finds it, and
/// gives no other file its number. They end with the session, and are nothing after a power cut. Not
/// thread-safe.
class kept_files {
 public:
  /// Those of another session are removed. Errors: `io`, `denied`.
  static result<std::unique_ptr<kept_files>> open(std::filesystem::path folder, session_life life);
  /// Removes them all, unless they are left.
  ~kept_files();
  kept_files(const kept_files&) = delete;
  kept_files& operator=(const kept_files&) = delete;

  /// The next process gets them.
  void leave() { left_ = true; }

  [[nodiscard]] std::string path(node_number number) const {
    return (folder_ / std::to_string(number)).string();
  }
  /// What an earlier process has kept, at first. Errors: `io`.
  [[nodiscard]] result<std::vector<node_number>> numbers() const;

  /// One more name, for a file that loses its last one.
  os_result<void> link(const std::string& file, node_number number) const;
  /// A folder with the attributes of one that is about to be removed.
  os_result<void> copy_folder(const std::string& folder, node_number number) const;
  /// The only name, for one that was made in the work folder.
  os_result<void> move(const std::string& file, node_number number) const;
  void drop(node_number number) const;

 private:
  explicit kept_files(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::filesystem::path folder_;
  bool left_ = false;
};

}  // namespace firstlight
