#include "storage/folder_attributes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

result<void> failed(const std::string& what) {
  return tl::unexpected(from_errno(errno, what));
}

result<void> copy_xattrs(const char* from, const char* to) {
  const auto bytes = listxattr(from, nullptr, 0);
  if (bytes <= 0) return {};
  std::string names(static_cast<std::size_t>(bytes), '\0');
  const auto listed = listxattr(from, names.data(), names.size());
  if (listed < 0) return failed(std::string("list the attributes of ") + from);
  for (std::size_t at = 0; at < static_cast<std::size_t>(listed); at += names.find('\0', at) - at + 1) {
    const char* const name = names.c_str() + at;
    if (std::string_view(name).starts_with("trusted.overlay.")) continue;
    std::string value(64U << 10U, '\0');  // XATTR_SIZE_MAX
    const auto got = getxattr(from, name, value.data(), value.size());
    if (got < 0 || setxattr(to, name, value.data(), static_cast<std::size_t>(got), 0) != 0)
      return failed(std::string("copy attribute ") + name + " to " + to);
  }
  return {};
}

}  // namespace

result<void> copy_folder_attributes(const std::filesystem::path& from, const std::filesystem::path& to) {
  struct stat root {};
  if (stat(from.c_str(), &root) != 0) return failed("read the attributes of " + from.string());
  if (chown(to.c_str(), root.st_uid, root.st_gid) != 0 || chmod(to.c_str(), root.st_mode & 07777U) != 0)
    return failed("give " + to.string() + " the owner and mode of " + from.string());
  if (auto copied = copy_xattrs(from.c_str(), to.c_str()); !copied) return copied;
  const timespec times[] = {root.st_atim, root.st_mtim};
  if (utimensat(AT_FDCWD, to.c_str(), times, 0) != 0) return failed("set the time of " + to.string());
  return {};
}

}  // namespace firstlight
