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

/// An open file as the kernel knows it.
struct opened_file {
  std::uint64_t handle = 0;  ///< the number of the request that has opened it, told again when it is closed
  std::uint64_t node = 0;
};

/// PASSTHROUGH: which open files of one FUSE session the kernel serves from their backing files (Linux 6.9,
/// Documentation/filesystems/fuse-passthrough.rst). The kernel wants all opens of one inode that live at one
/// time to be of one way, and with one number of a backing file: the first one decides. What is open stands
/// in a file too, each handle once, so that a process that takes the session over goes on with it. It may be
/// asked once more for what the one before has noted and not answered: that changes nothing. Any thread.
class backing_files {
 public:
  /// `table` is made when it is missing, else read: an earlier process has left it. One that is made goes on
  /// with `earlier_table`, if there is one. Errors: `io`.
  static result<std::unique_ptr<backing_files>> open_table(int device, const std::filesystem::path& table,
                                                           std::shared_ptr<session_counters> counters,
                                                           std::uint64_t bytes_min = 0);
  /// What versions before this format have left beside a table.
  [[nodiscard]] static std::filesystem::path earlier_table(const std::filesystem::path& table) {
    return table.parent_path() / "opens";
  }
  backing_files(const backing_files&) = delete;
  backing_files& operator=(const backing_files&) = delete;

  /// Smaller files are not opened here. As the first process of the session was told: what is open of such a
  /// file nobody knows.
  [[nodiscard]] std::uint64_t bytes_min() const { return bytes_min_; }

  /// `backing` is asked for a descriptor of the whole contents at a first open; an empty one: they are not
  /// there. What it gives has the rights of this process: only for reading what must not change.
  open_way open(const opened_file& file, const std::function<file_descriptor()>& backing);
  /// Whether it is open and the kernel has its backing file: then all opens of it are of that way.
  [[nodiscard]] bool is_lent(std::uint64_t node) const;
  /// Nothing happens if it is not open.
  void close(std::uint64_t handle);
  /// The kernel forgets an inode, and `is_known` says whether it has the inode all the same, or has it once
  /// it is answered. If not, nothing of it is open: whoever opened it was killed while no process answered,
  /// so nobody closes it.
  void forget(std::uint64_t node, const std::function<bool()>& is_known);

 private:
  struct row {
    std::uint64_t handle = 0;     ///< 0: free, or the first row
    std::uint64_t node = 0;       ///< of the first row: `bytes_min`
    std::int32_t backing_id = 0;  ///< 0: through FUSE
    std::uint32_t unused[3]{};    ///< no row lies on two pages: a kill leaves it whole
  };
  struct open_node {
    std::uint64_t opens = 0;
    std::int32_t backing_id = 0;
  };
  backing_files(int device, file_descriptor table, std::shared_ptr<session_counters> counters)
      : device_(device), table_(std::move(table)), counters_(std::move(counters)) {}
  result<void> load();
  result<void> take_earlier(const std::filesystem::path& table);
  std::int32_t lend(const std::function<file_descriptor()>& backing);
  void add(const opened_file& file, std::int32_t backing_id);
  void remove(std::size_t place);
  void save(std::size_t place);

  int device_;
  file_descriptor table_;
  std::shared_ptr<session_counters> counters_;
  std::uint64_t bytes_min_ = 0;
  mutable std::mutex mutex_;
  std::vector<row> rows_;
  std::vector<std::size_t> free_;
  std::unordered_map<std::uint64_t, std::size_t> places_;  ///< of handles
  std::unordered_map<std::uint64_t, open_node> nodes_;
  bool refused_ = false;
};

}  // namespace firstlight
