#include "storage/posix_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace firstlight {

error from_errno(int number, const std::string& context) {
  errc code = errc::io;
  if (number == ENOSPC || number == EDQUOT) code = errc::no_space;
  if (number == ENOENT) code = errc::not_found;
  if (number == EACCES || number == EPERM) code = errc::denied;
  if (number == EEXIST) code = errc::already_exists;
  return {code, context + ": " + std::generic_category().message(number)};
}

file_descriptor& file_descriptor::operator=(file_descriptor&& other) noexcept {
  if (this != &other) {
    if (number_ >= 0) ::close(number_);
    number_ = other.release();
  }
  return *this;
}

file_descriptor::~file_descriptor() {
  if (number_ >= 0) ::close(number_);
}

int file_descriptor::release() {
  return std::exchange(number_, -1);
}

result<file_descriptor> open_at(int folder, const std::string& path, int flags, unsigned mode) {
  int number = -1;
  do number = ::openat(folder, path.c_str(), flags | O_CLOEXEC, static_cast<mode_t>(mode));
  while (number < 0 && errno == EINTR);
  if (number < 0) return tl::make_unexpected(from_errno(errno, path));
  return file_descriptor(number);
}

result<void> write_at(int file, bytes_view bytes, std::uint64_t offset, const std::string& context) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return tl::make_unexpected(from_errno(written < 0 ? errno : EIO, context));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

result<std::size_t> read_at(int file, std::span<std::byte> into, std::uint64_t offset,
                            const std::string& context) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const auto got =
        ::pread(file, into.data() + filled, into.size() - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::make_unexpected(from_errno(errno, context));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

result<void> make_folders(const std::filesystem::path& folder) {
  std::error_code failure;
  if (std::filesystem::is_directory(folder, failure)) return {};
  if (folder.has_parent_path() && folder.parent_path() != folder)
    if (auto parents = make_folders(folder.parent_path()); !parents) return parents;
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return tl::make_unexpected(from_errno(errno, folder.string()));
  return {};
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

}  // namespace firstlight
