#pragma once
#include <mutex>

#include "fuse_bridge/backing_files.hpp"
#include "fuse_bridge/session_core.hpp"

namespace firstlight {

/// The backing files of a session whose kernel may not take any: known with the kernel's first message only.
/// Any thread.
class passthrough {
 public:
  /// `table` and `bytes_min` as of backing_files; it is opened at the first use.
  passthrough(std::filesystem::path table, std::shared_ptr<session_counters> counters,
              std::uint64_t bytes_min = 0)
      : table_(std::move(table)), counters_(std::move(counters)), bytes_min_(bytes_min) {}

  /// Nothing where there is no passthrough.
  [[nodiscard]] backing_files* files(const session_core& core);

 private:
  std::filesystem::path table_;
  std::shared_ptr<session_counters> counters_;
  std::uint64_t bytes_min_;
  std::once_flag once_;
  std::unique_ptr<backing_files> files_;
};

}  // namespace firstlight
