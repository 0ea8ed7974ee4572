#include "test/harness/filesystem/subject.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "storage/sha256.hpp"
#include "test/harness/filesystem/open_file.hpp"

namespace firstlight::fstest {
namespace {

std::string hash(std::string_view bytes) {
  return sha256(std::as_bytes(std::span(bytes))).hex().substr(0, 16);
}

outcome read_whole(int file, const operation&) {
  std::string all;
  std::array<char, 8192> buffer{};
  for (;;) {
    const auto got = ::pread(file, buffer.data(), buffer.size(), static_cast<off_t>(all.size()));
    if (got < 0) return {errno, 0, {}};
    if (got == 0) break;
    all.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return {0, static_cast<std::int64_t>(all.size()), hash(all)};
}

outcome write_bytes(int file, const operation& what) {
  const auto bytes = bytes_of(what);
  return ended(::pwrite(file, bytes.data(), bytes.size(), what.offset));
}
outcome look_only(int, const operation&) {
  return {};
}
outcome append_bytes(int file, const operation& what) {
  const auto bytes = bytes_of(what);
  return ended(::write(file, bytes.data(), bytes.size()));
}

outcome map_and_write(int file, const operation& what) {
  struct stat st {};
  if (::fstat(file, &st) != 0) return {errno, 0, {}};
  if (what.offset + what.size > st.st_size || what.size == 0) return {0, -1, {}};
  const auto bytes = static_cast<std::size_t>(what.offset + what.size);
  void* const map = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (map == MAP_FAILED) return {errno, 0, {}};
  const auto text = bytes_of(what);
  std::memcpy(static_cast<char*>(map) + what.offset, text.data(), text.size());
  const auto done = ended(::msync(map, bytes, MS_SYNC));
  ::munmap(map, bytes);
  return done;
}

// As cp does it: from a file of an image to one on the disk is between file systems.
outcome copy_between(int from, int to, const operation& what) {
  const auto bytes = static_cast<std::size_t>(what.size);
  loff_t in = 0;
  loff_t out = what.offset;
  const auto copied = ::copy_file_range(from, &in, to, &out, bytes, 0);
  if (copied >= 0 || errno != EXDEV) return ended(copied);
  std::string buffer(bytes, '\0');
  const auto got = ::pread(from, buffer.data(), bytes, 0);
  if (got < 0) return ended(got);
  return ended(::pwrite(to, buffer.data(), static_cast<std::size_t>(got), what.offset));
}

/// This thread alone has other rights meanwhile: the C library's functions would change them of all threads.
class as_user {
 public:
  as_user() { set(1000); }
  ~as_user() { set(0); }
  as_user(const as_user&) = delete;
  as_user& operator=(const as_user&) = delete;

 private:
  static void set(uid_t user) {
    if (::syscall(SYS_setresuid, -1, user, -1) != 0) throw std::runtime_error("cannot change the user");
  }
};

std::vector<std::string> names_of(int folder, const std::string& path) {
  std::vector<std::string> names;
  const int opened = ::openat(folder, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (opened < 0) return names;
  std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(opened), ::closedir);
  while (const auto* entry = ::readdir(listing.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name + ":" + std::to_string(entry->d_type));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string xattrs_of(const std::string& path) {
  std::array<char, 4096> names{};
  const auto bytes = ::llistxattr(path.c_str(), names.data(), names.size());
  std::vector<std::string> all;
  for (ssize_t at = 0; at < bytes;) {
    const std::string name = names.data() + at;
    at += static_cast<ssize_t>(name.size() + 1);
    std::array<char, 4096> value{};
    const auto got = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    all.push_back(name + "=" + (got < 0 ? "?" : hash({value.data(), static_cast<std::size_t>(got)})));
  }
  std::sort(all.begin(), all.end());
  std::string text;
  for (const auto& one : all) text += " " + one;
  return text;
}

}  // namespace

std::string to_text(const outcome& what) {
  if (what.error != 0) return std::strerror(what.error);
  return std::to_string(what.value) + (what.data.empty() ? "" : " " + what.data);
}

subject::subject(std::filesystem::path root, std::int64_t start) : root_(std::move(root)), start_(start) {
  auto opened = open_at(AT_FDCWD, root_.string(), O_RDONLY | O_DIRECTORY);
  if (!opened) throw std::runtime_error(opened.error().detail);
  folder_ = std::move(*opened);
}

void subject::let_all_go() {
  for (auto& file : held_) file = {};
  for (auto& listing : listings_) listing = {};
  folder_ = {};
}

void subject::let_removed_go() {
  for (auto& file : held_) {
    struct stat st {};
    if (file && ::fstat(file.get(), &st) == 0 && st.st_nlink == 0) file = {};
  }
}

outcome subject::look(int folder, const std::string& path, const view_of_attributes& seen) const {
  struct stat st {};
  const int flags = path.empty() ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;
  if (::fstatat(folder, path.c_str(), &st, flags) != 0) return {errno, 0, {}};
  const bool is_folder = S_ISDIR(st.st_mode);
  std::string text = "mode " + std::to_string(st.st_mode) + " owner " + std::to_string(st.st_uid) + ":" +
                     std::to_string(st.st_gid);
  if (!is_folder) text += " size " + std::to_string(st.st_size);
  if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) text += " device " + std::to_string(st.st_rdev);
  if (!is_folder || seen.folder_links) text += " links " + std::to_string(st.st_nlink);
  if (st.st_mtim.tv_sec < start_ && (!S_ISFIFO(st.st_mode) || seen.pipe_times))
    text += " time " + std::to_string(st.st_mtim.tv_sec) + "." + std::to_string(st.st_mtim.tv_nsec);
  return {0, 0, text};
}

outcome subject::with_file(const operation& what, int flags, outcome (*work)(int, const operation&)) const {
  const file_descriptor file(
      ::openat(folder_.get(), what.path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, what.mode));
  if (!file) return {errno, 0, {}};
  return work(file.get(), what);
}

outcome subject::apply(const operation& what) {
  const int at = folder_.get();
  const char* const path = what.path.c_str();
  const char* const other = what.other.c_str();
  const auto full = (root_ / what.path).string();
  auto& held = held_.at(what.slot);
  const auto flags = static_cast<int>(what.flags);
  if (uses_held_file(what.what) && !held) return {};
  for (auto& listing : listings_) listing.note(at, what);
  auto& listing = listings_.at(what.slot);
  switch (what.what) {
    case action::write:
      return with_file(what, O_RDWR | flags, write_bytes);
    case action::append:
      return with_file(what, O_WRONLY | O_APPEND, append_bytes);
    case action::read:
      return with_file(what, O_RDONLY, read_whole);
    case action::truncate:
      return with_file(what, O_WRONLY,
                       [](int file, const operation& o) { return ended(::ftruncate(file, o.size)); });
    case action::truncate_path:
      return ended(::truncate(full.c_str(), what.size));
    case action::make_file:
      return with_file(what, O_RDWR | O_CREAT | O_EXCL, write_bytes);
    case action::make_folder:
      return ended(::mkdirat(at, path, what.mode));
    case action::remove_folder:
      return ended(::unlinkat(at, path, AT_REMOVEDIR));
    case action::unlink:
      return ended(::unlinkat(at, path, 0));
    case action::rename:
      return ended(::renameat2(at, path, at, other, what.flags));
    case action::link:
      return ended(::linkat(at, path, at, other, 0));
    case action::symlink:
      return ended(::symlinkat(other, at, path));
    case action::make_special:
      return ended(::mknodat(at, path, what.flags | (what.mode & 07777U),
                             S_ISCHR(what.flags) || S_ISBLK(what.flags) ? makedev(1, 3) : 0));
    case action::change_mode:
      return ended(::fchmodat(at, path, what.mode, 0));
    case action::change_owner:
      return ended(::fchownat(at, path, static_cast<uid_t>(what.offset), static_cast<gid_t>(what.size),
                              AT_SYMLINK_NOFOLLOW));
    case action::set_time: {
      const timespec times[] = {{what.offset, what.size}, {what.offset, what.size}};
      return ended(::utimensat(at, path, times, AT_SYMLINK_NOFOLLOW));
    }
    case action::set_xattr: {
      const std::string value(static_cast<std::size_t>(what.offset), 'v');
      return ended(::lsetxattr(full.c_str(), xattr_name(what).c_str(), value.data(), value.size(), flags));
    }
    case action::get_xattr: {
      std::array<char, 256> value{};
      const auto got = ::lgetxattr(full.c_str(), xattr_name(what).c_str(), value.data(), value.size());
      return ended(got);
    }
    case action::list_xattrs: {
      std::array<char, 1024> all{};
      auto listed = ended(::llistxattr(full.c_str(), all.data(), all.size()));
      listed.data = xattrs_of(full);
      return listed;
    }
    case action::remove_xattr:
      return ended(::lremovexattr(full.c_str(), xattr_name(what).c_str()));
    case action::allocate:
      return with_file(what, O_RDWR, [](int file, const operation& o) {
        return ended(::fallocate(file, static_cast<int>(o.flags), o.offset, o.size));
      });
    case action::copy_range: {
      const file_descriptor from(::openat(at, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
      const int first = errno;
      const file_descriptor to(::openat(at, other, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
      if (!from) return {first, 0, {}};
      if (!to) return {errno, 0, {}};
      return copy_between(from.get(), to.get(), what);
    }
    case action::map_write:
      return with_file(what, O_RDWR, map_and_write);
    case action::list: {
      outcome listed;
      for (const auto& name : names_of(at, what.path)) listed.data += name + " ";
      return listed;
    }
    case action::list_begin:
      listing = watched_listing(full);
      return listing ? outcome{} : outcome{errno, 0, {}};
    case action::list_more:
      return listing ? listing.more() : outcome{};
    case action::list_end: {
      const auto met = listing ? listing.end() : outcome{};
      listing = {};
      return met;
    }
    case action::sync_folder: {
      const file_descriptor folder(::openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      return folder ? ended(::fsync(folder.get())) : outcome{errno, 0, {}};
    }
    case action::look:
      return look(at, what.path, view);
    case action::read_link: {
      std::array<char, 1024> target{};
      const auto got = ::readlinkat(at, path, target.data(), target.size());
      return got < 0 ? outcome{errno, 0, {}}
                     : outcome{0, got, {target.data(), static_cast<std::size_t>(got)}};
    }
    case action::hold:
      held = file_descriptor(::openat(at, path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
      return held ? outcome{} : outcome{errno, 0, {}};
    case action::held_write:
      return write_bytes(held.get(), what);
    case action::held_read:
      return read_whole(held.get(), what);
    case action::held_truncate:
      return ended(::ftruncate(held.get(), what.size));
    case action::held_sync:
      return ended(::fsync(held.get()));
    case action::held_look:
      return look(held.get(), "", view);
    case action::held_lock:
      return ended(::flock(held.get(), flags));
    case action::open_as_user: {
      const as_user meanwhile;
      return with_file(what, flags, (flags & O_ACCMODE) == O_RDONLY ? look_only : write_bytes);
    }
    case action::let_go:
      held = {};
      return {};
    case action::make_unnamed: {
      const file_descriptor file(::openat(at, path, O_TMPFILE | O_RDWR | O_CLOEXEC, what.mode));
      if (!file) return {errno, 0, {}};
      if (auto written = write_bytes(file.get(), what); written.error != 0) return written;
      return ended(::linkat(AT_FDCWD, ("/proc/self/fd/" + std::to_string(file.get())).c_str(), at, other,
                            AT_SYMLINK_FOLLOW));
    }
    case action::find_holes:
      return with_file(what, O_RDONLY, find_holes);
    case action::ask_space:
      return with_file(what, O_PATH, ask_space);
    case action::ask_terminal:
      return with_file(what, O_RDONLY, ask_terminal);
    default:
      return apply_to_open(held.get(), what);
  }
}

std::vector<std::string> subject::observe(const view_of_attributes& seen) const {
  std::vector<std::string> all;
  for (auto entry = std::filesystem::recursive_directory_iterator(root_);
       entry != std::filesystem::recursive_directory_iterator(); ++entry) {
    const auto path = entry->path().lexically_relative(root_).string();
    auto line = path + ": " + to_text(look(folder_.get(), path, seen));
    if (entry->is_symlink())
      line += " -> " + std::filesystem::read_symlink(entry->path()).string();
    else if (entry->is_regular_file() && seen.contents)
      line += " " + to_text(with_file({.what = action::read, .path = path}, O_RDONLY, read_whole));
    all.push_back(line + xattrs_of(entry->path().string()));
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace firstlight::fstest
