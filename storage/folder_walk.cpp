#include "storage/folder_walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

struct directory_closer {
  void operator()(DIR* open) const { ::closedir(open); }
};
using directory = std::unique_ptr<DIR, directory_closer>;

/// Null, with errno, on failure.
directory open_directory(int parent, const char* name) {
  file_descriptor opened(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  directory listing(opened ? ::fdopendir(opened.get()) : nullptr);
  if (listing) opened.release();
  return listing;
}

/// It has been removed, or something else has its name by now.
bool has_gone(int number) {
  return number == ENOENT || number == ENOTDIR || number == ELOOP;
}

/// The next name, without `.` and `..`. Null at the end, and with errno on failure.
const char* next_name(DIR* listing) {
  errno = 0;
  while (const auto* entry = ::readdir(listing)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return entry->d_name;
  }
  return nullptr;
}

}  // namespace

result<void> walk_folder(const std::filesystem::path& folder, const walk_visitor& visit,
                         const folder_walk_limits& limits) {
  const auto failed = [&] { return tl::unexpected(from_errno(errno, "walk through " + folder.string())); };
  std::vector<directory> open;  // each in the one before it
  open.push_back(open_directory(AT_FDCWD, folder.c_str()));
  if (!open.back()) return failed();
  while (!open.empty()) {
    const int current = ::dirfd(open.back().get());
    const char* name = next_name(open.back().get());
    if (name == nullptr) {
      if (errno != 0 && !has_gone(errno)) return failed();
      open.pop_back();
      continue;
    }
    struct stat found {};
    if (::fstatat(current, name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
      if (!has_gone(errno)) return failed();
      continue;
    }
    visit(found);
    if (!S_ISDIR(found.st_mode)) continue;
    if (open.size() == limits.depth_max)
      return fail(errc::limit_exceeded, folder.string() + " has folders more than " +
                                            std::to_string(limits.depth_max) +
                                            " deep in each other; remove some");
    if (auto inner = open_directory(current, name))
      open.push_back(std::move(inner));
    else if (!has_gone(errno))
      return failed();
  }
  return {};
}

}  // namespace firstlight
