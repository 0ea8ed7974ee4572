#pragma once
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "actors/instance_messages.hpp"
#include "fuse_bridge/writable/os_result.hpp"
#include "fuse_bridge/writable/work_file.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// The folders of a read-write layer on the disk, in overlayfs' format. What appears in the layer is made in
/// the work folder first and gets its name at once, so a crash leaves the old or the new. Paths are those of
/// layer_tree::path. Any thread; two changes of one path must not meet.
class upper_layer {
 public:
  /// Makes the folders when missing, removes what a crash has left in the work folder. Errors: `io`,
  /// `denied`.
  static result<std::unique_ptr<upper_layer>> open(const writable_layer& folders);
  ~upper_layer();
  upper_layer(const upper_layer&) = delete;
  upper_layer& operator=(const upper_layer&) = delete;

  [[nodiscard]] std::string at(std::string_view path) const;

  [[nodiscard]] work_file new_work_file();

  /// What was made in the work folder, or kept, gets its name; at most a whiteout is in the way.
  os_result<void> place(const std::string& made, std::string_view path);
  /// A whiteout is there afterwards, instead of anything that was; of a folder all that is left are
  /// whiteouts.
  os_result<void> cover(std::string_view path);
  /// Nothing is there afterwards. Likewise.
  os_result<void> remove(std::string_view path);
  /// What is at `from` is at `to` afterwards, instead of a file, an empty folder or a whiteout; a whiteout
  /// stays at `from` if `covers`.
  os_result<void> move(std::string_view from, std::string_view to, bool covers);
  os_result<void> exchange(std::string_view one, std::string_view other);
  /// An empty folder with the attributes of the one that was there, and without its whiteouts.
  os_result<void> clear(std::string_view path);
  /// Another name for a file.
  os_result<void> link(std::string_view path, std::string_view other);
  /// What was made in the work folder takes the place of a file.
  os_result<void> replace(const std::string& made, std::string_view path);
  /// Another name for a file takes the place of one.
  os_result<void> replace_by_link(std::string_view path, std::string_view other);

 private:
  explicit upper_layer(std::filesystem::path upper, std::filesystem::path work)
      : upper_(std::move(upper)), work_(std::move(work)) {}

  os_result<work_file> new_whiteout();

  std::filesystem::path upper_;
  std::filesystem::path work_;
  std::atomic<std::uint64_t> next_{0};
};

/// Owner, mode, times and extended attributes of `from`, a file or folder, for `to`.
os_result<void> copy_attributes(const std::string& from, const std::string& to);

/// The path of an open descriptor, for system calls that take only paths. proc(5).
[[nodiscard]] std::string descriptor_path(int descriptor);

}  // namespace firstlight
