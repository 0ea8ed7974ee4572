#pragma once
#include "storage/posix_file.hpp"

namespace firstlight {

/// A file that a user asked for, while it is made: it gets its name when it is whole, and never takes the
/// place of another one. Until then it is NAME.new, which goes with its object; what a process that was
/// killed has left of one is taken over by the next of the same name. One thread.
class new_file {
 public:
  /// Errors: `already_exists` if the name is taken, or NAME.new by something else; `busy` while another one
  /// is made under it; `denied`, `no_space`, `io`.
  static result<new_file> create(const std::filesystem::path& path);
  new_file(new_file&&) noexcept = default;
  new_file& operator=(new_file&&) = delete;
  ~new_file();

  [[nodiscard]] int get() const { return file_.get(); }
  /// Under which name it is written, for errors.
  [[nodiscard]] const std::string& temporary() const { return temporary_; }

  /// Makes it durable and gives it its name; the last call. Errors: `already_exists`, `no_space`, `io`.
  result<void> keep();

 private:
  new_file(std::string path, std::string temporary, file_descriptor file);

  std::string path_;
  std::string temporary_;
  file_descriptor file_;
};

}  // namespace firstlight
