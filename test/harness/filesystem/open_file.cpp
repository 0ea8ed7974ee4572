#include "test/harness/filesystem/open_file.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace firstlight::fstest {
namespace {

/// Whether there are so many bytes from there on, all of them zero.
bool all_zero(int file, off_t from, off_t to) {
  std::array<char, 8192> buffer{};
  while (from < to) {
    const auto part = std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(to - from));
    const auto got = ::pread(file, buffer.data(), part, from);
    if (got <= 0) return false;
    if (std::any_of(buffer.begin(), buffer.begin() + got, [](char byte) { return byte != 0; })) return false;
    from += got;
  }
  return true;
}

bool is_behind_the_end(int file, off_t place, int whence) {
  return ::lseek(file, place, whence) < 0 && errno == ENXIO;
}

outcome set_and_get_xattr(int file, const operation& what) {
  const std::string value(static_cast<std::size_t>(what.offset), 'h');
  const auto name = xattr_name(what);
  if (::fsetxattr(file, name.c_str(), value.data(), value.size(), static_cast<int>(what.flags)) != 0)
    return {errno, 0, {}};
  std::array<char, 256> got{};
  const auto bytes = ::fgetxattr(file, name.c_str(), got.data(), got.size());
  return bytes < 0 ? outcome{errno, 0, {}} : outcome{0, bytes, {got.data(), static_cast<std::size_t>(bytes)}};
}

struct flock range_of(const operation& what) {
  struct flock range {};
  range.l_type = static_cast<short>(what.flags);
  range.l_whence = SEEK_SET;
  range.l_start = what.offset;
  range.l_len = what.size;  // 0: to the end of all files
  return range;
}

outcome ask_range(int file, const operation& what) {
  auto range = range_of(what);
  if (::fcntl(file, F_OFD_GETLK, &range) != 0) return {errno, 0, {}};
  if (range.l_type == F_UNLCK) return {0, 0, "free"};
  return {0, range.l_type, std::to_string(range.l_start) + " " + std::to_string(range.l_len)};
}

}  // namespace

outcome ended(std::int64_t value) {
  return value < 0 ? outcome{errno, 0, {}} : outcome{0, value, {}};
}

std::string xattr_name(const operation& what) {
  return "user.test" + std::to_string(what.size);
}

outcome find_holes(int file, const operation&) {
  struct stat st {};
  if (::fstat(file, &st) != 0) return {errno, 0, {}};
  if (!S_ISREG(st.st_mode)) return {0, -1, {}};
  for (off_t at = 0; at < st.st_size;) {
    const auto data = ::lseek(file, at, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return {errno, at, {}};
    const auto end_of_hole = data < 0 ? st.st_size : data;
    if (end_of_hole < at || !all_zero(file, at, end_of_hole)) return {0, at, "a hole that is none"};
    if (data < 0) break;
    const auto hole = ::lseek(file, data, SEEK_HOLE);
    if (hole < 0) return {errno, data, {}};
    if (hole <= data || hole > st.st_size) return {0, hole, "data that are none"};
    at = hole;
  }
  if (!is_behind_the_end(file, st.st_size, SEEK_DATA)) return {0, st.st_size, "data behind the end"};
  if (!is_behind_the_end(file, st.st_size, SEEK_HOLE)) return {0, st.st_size, "a hole behind the end"};
  return {0, st.st_size, {}};
}

outcome ask_space(int file, const operation&) {
  struct statvfs fs {};
  if (::fstatvfs(file, &fs) != 0) return {errno, 0, {}};
  const bool fits = fs.f_bfree <= fs.f_blocks && fs.f_bavail <= fs.f_bfree && fs.f_ffree <= fs.f_files;
  return {0, fits ? 0 : -1,
          "bytes " + std::to_string(fs.f_blocks * fs.f_frsize) + " names " + std::to_string(fs.f_namemax)};
}

outcome ask_terminal(int file, const operation&) {
  termios settings{};
  return ended(::ioctl(file, TCGETS, &settings));
}

outcome apply_to_open(int file, const operation& what) {
  switch (what.what) {
    case action::held_find_holes:
      return find_holes(file, what);
    case action::held_change_mode:
      return ended(::fchmod(file, what.mode));
    case action::held_change_owner:
      return ended(::fchown(file, static_cast<uid_t>(what.offset), static_cast<gid_t>(what.size)));
    case action::held_set_time: {
      const timespec times[] = {{what.offset, what.size}, {what.offset, what.size}};
      return ended(::futimens(file, times));
    }
    case action::held_set_xattr:
      return set_and_get_xattr(file, what);
    case action::held_lock_range: {
      const auto range = range_of(what);
      return ended(::fcntl(file, F_OFD_SETLK, &range));
    }
    case action::held_ask_range:
      return ask_range(file, what);
    case action::held_lock_as_process: {
      const auto range = range_of(what);
      return ended(::fcntl(file, F_SETLK, &range));
    }
    default:
      throw std::logic_error("not an action on an open file");
  }
}

}  // namespace firstlight::fstest
