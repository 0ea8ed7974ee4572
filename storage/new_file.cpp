#include "storage/new_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace firstlight {
namespace {

tl::unexpected<error> taken(const std::string& path) {
  return fail(errc::already_exists, path + " exists; choose another name or remove it");
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

/// What a killed process has left is a file of this user with one name.
bool may_be_left_over(const struct stat& status) {
  return S_ISREG(status.st_mode) && status.st_nlink == 1 && status.st_uid == ::geteuid();
}

/// Where files cannot be locked, two that are made at once under one name are not noticed.
result<void> claim(int file, const std::string& temporary) {
  const auto busy =
      fail(errc::busy, temporary + " is being written already; wait for it, or choose another name");
  if (::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return busy;
  struct stat opened {};
  struct stat named {};
  if (::fstat(file, &opened) != 0) return tl::unexpected(from_errno(errno, temporary));
  const bool same = ::lstat(temporary.c_str(), &named) == 0 && named.st_ino == opened.st_ino &&
                    named.st_dev == opened.st_dev;
  if (!same) return busy;  // it got its name just now
  if (!may_be_left_over(opened)) return taken(temporary);
  if (::ftruncate(file, 0) != 0) return tl::unexpected(from_errno(errno, temporary));
  return {};
}

/// Some file systems cannot rename without replacing: there a moment remains.
int rename_to_free(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (exists(to)) return EEXIST;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

}  // namespace

new_file::new_file(std::string path, std::string temporary, file_descriptor file)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}

new_file::~new_file() {
  if (file_) ::unlink(temporary_.c_str());
}

result<new_file> new_file::create(const std::filesystem::path& path) {
  const auto name = path.string();
  const auto temporary = name + ".new";
  if (exists(name)) return taken(name);
  auto file = open_at(AT_FDCWD, temporary, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK);
  if (!file && exists(temporary) && file.error().code == errc::io) return taken(temporary);
  if (!file) return tl::unexpected(file.error());
  if (auto claimed = claim(file->get(), temporary); !claimed) return tl::unexpected(claimed.error());
  return new_file(name, temporary, std::move(*file));
}

result<void> new_file::keep() {
  if (::fsync(file_.get()) != 0) return tl::unexpected(from_errno(errno, temporary_));
  const auto parent = std::filesystem::path(path_).parent_path().string();
  const auto folder = open_at(AT_FDCWD, parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
  if (!folder) return tl::unexpected(folder.error());
  const int problem = rename_to_free(temporary_, path_);
  if (problem == EEXIST) return taken(path_);
  if (problem != 0) return tl::unexpected(from_errno(problem, path_));
  file_ = {};
  if (::fsync(folder->get()) == 0) return {};
  const int failure = errno;
  ::unlink(path_.c_str());  // whoever is told of a failure finds no file
  return tl::unexpected(from_errno(failure, parent));
}

}  // namespace firstlight
