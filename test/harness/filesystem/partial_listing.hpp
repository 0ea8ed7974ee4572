#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "storage/posix_file.hpp"

namespace firstlight::fstest {

/// A READER OF A FOLDER that takes its time: it asks for a few names, and for more when it likes. "." and
/// ".." are left out. Not thread-safe.
class partial_listing {
 public:
  partial_listing() = default;
  /// errno is that of open(2) if it has not opened.
  explicit partial_listing(const std::string& path);
  explicit operator bool() const { return static_cast<bool>(folder_); }

  struct part {
    int error = 0;  ///< errno
    std::vector<std::string> names;
    bool end = false;
  };
  /// What one getdents64(2) gives that has room for `room_bytes`, which must be enough for the longest name.
  [[nodiscard]] part more(std::size_t room_bytes);
  /// All that is left.
  [[nodiscard]] part rest();

  /// As telldir(3) and seekdir(3); 0 is the beginning.
  [[nodiscard]] std::int64_t place() const { return place_; }
  void seek(std::int64_t place);

  [[nodiscard]] int descriptor() const { return folder_.get(); }

 private:
  file_descriptor folder_;
  std::int64_t place_ = 0;
};

}  // namespace firstlight::fstest
