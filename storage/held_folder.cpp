#include "storage/held_folder.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace firstlight {

result<held_folder> held_folder::open(int root, const std::filesystem::path& path) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const auto inside = path.empty() ? std::string(".") : path.string();
  const auto number = syscall(SYS_openat2, root, inside.c_str(), &how, sizeof how);
  if (number >= 0) return held_folder(file_descriptor(static_cast<int>(number)));
  if (errno == ELOOP || errno == ENOTDIR || errno == EXDEV)
    return fail(errc::busy, inside + " is no folder any more; try again when nobody changes it");
  return tl::unexpected(from_errno(errno, inside));
}

int held_folder::look_at(const std::string& name, struct stat& found) const {
  return ::fstatat(folder_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

std::filesystem::path held_folder::path_of(const std::string& name) const {
  // The descriptor's own name is a link.
  return std::filesystem::path("/proc/self/fd") / std::to_string(folder_.get()) / (name.empty() ? "." : name);
}

}  // namespace firstlight
