#pragma once
#include <filesystem>
#include <span>
#include <string>

#include "model/digest.hpp"

namespace firstlight {

/// The error for an errno of the operating system: `no_space` for ENOSPC, EDQUOT; `not_found` for
/// ENOENT; `denied` for EACCES, EPERM; `already_exists` for EEXIST; else `io`. The detail is
/// `context` and the system's reason.
[[nodiscard]] error from_errno(int number, const std::string& context);

/// Owns one file descriptor and closes it. Movable.
class file_descriptor {
 public:
  file_descriptor() = default;
  explicit file_descriptor(int number) : number_(number) {}
  file_descriptor(file_descriptor&& other) noexcept : number_(other.release()) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept;
  ~file_descriptor();

  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] explicit operator bool() const { return number_ >= 0; }
  int release();

 private:
  int number_ = -1;
};

/// open(2) relative to `folder` (AT_FDCWD allowed), always with O_CLOEXEC.
result<file_descriptor> open_at(int folder, const std::string& path, int flags, unsigned mode = 0644);

/// Writes all bytes at `offset`. Errors: `no_space`, `io`.
result<void> write_at(int file, bytes_view bytes, std::uint64_t offset, const std::string& context);

/// Reads until `into` is full or the file ends. @returns the bytes read. Errors: `io`.
result<std::size_t> read_at(int file, std::span<std::byte> into, std::uint64_t offset,
                            const std::string& context);

/// Makes a directory and its parents, mode 0700 for new ones; there already is no error.
result<void> make_folders(const std::filesystem::path& folder);

/// This machine's name; "localhost" if it has none.
[[nodiscard]] std::string host_name();

}  // namespace firstlight
