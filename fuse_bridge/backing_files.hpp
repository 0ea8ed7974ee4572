#pragma once
#include <filesystem>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "actors/instance_messages.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// How the data of an open file travels.
struct open_way {
  bool through = false;         ///< the kernel reads and writes the backing file by itself
  std::int32_t backing_id = 0;  ///< the kernel's number of that file, if `through`
};

/// PASSTHROUGH: which open files of one FUSE session the kernel serves from their backing files (Linux 6.9,
/// Documentation/filesystems/fuse-passthrough.rst). The kernel wants all opens of one inode that live at one
/// time to be of one way: the first one decides. The counts stand in a file too, so that a process that takes
/// the session over goes on with them. Any thread.
class backing_files {
 public:
  /// `table` is made when it is missing, else read: an earlier process has left it. Errors: `io`.
  static result<std::unique_ptr<backing_files>> open_table(int device, const std::filesystem::path& table,
                                                           std::shared_ptr<session_counters> counters);
  backing_files(const backing_files&) = delete;
  backing_files& operator=(const backing_files&) = delete;

  /// `backing` is asked for a descriptor of the whole contents at a first open; an empty one: they are not
  /// there. What it gives has the rights of this process: only for reading what must not change.
  open_way open(std::uint64_t node, const std::function<file_descriptor()>& backing);
  void close(std::uint64_t node);

 private:
  struct row {
    std::uint64_t node = 0;
    std::uint32_t opens = 0;
    std::int32_t backing_id = 0;  ///< 0: through FUSE
  };
  backing_files(int device, file_descriptor table, std::shared_ptr<session_counters> counters)
      : device_(device), table_(std::move(table)), counters_(std::move(counters)) {}
  result<void> load();
  std::int32_t lend(const std::function<file_descriptor()>& backing);
  void save(std::size_t place);

  int device_;
  file_descriptor table_;
  std::shared_ptr<session_counters> counters_;
  std::mutex mutex_;
  std::vector<row> rows_;
  std::vector<std::size_t> free_;
  std::unordered_map<std::uint64_t, std::size_t> places_;
  bool refused_ = false;
};

}  // namespace firstlight
