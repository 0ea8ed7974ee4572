#pragma once
#include <stdio.h>

#include <string>
#include <utility>

namespace firstlight {

/// A NAME IN THE WORK FOLDER that nobody else has. What has it at the end is removed, a file or an empty
/// folder, unless it has moved away.
class work_file {
 public:
  explicit work_file(std::string path) : path_(std::move(path)) {}
  ~work_file() { discard(); }
  work_file(work_file&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  work_file& operator=(work_file&&) = delete;

  /// Precondition of both: neither moved nor discarded.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const char* c_str() const { return path_.c_str(); }

  /// What was made has another name now, and nothing has this one.
  void moved() { path_.clear(); }
  /// Removes it before the end, if it is still there.
  void discard() {
    if (!path_.empty()) ::remove(path_.c_str());  // the next mount removes what stays
    path_.clear();
  }

 private:
  std::string path_;
};

}  // namespace firstlight
