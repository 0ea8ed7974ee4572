#include "fuse_bridge/read_ahead.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "storage/posix_file.hpp"

namespace firstlight {

result<void> set_read_ahead(const std::filesystem::path& mount_point, std::uint32_t bytes) {
  // Device numbers are known without a request to ourselves. After an unmount it is the folder below.
  struct statx mounted {
  }, folder{};
  const auto parent = mount_point.parent_path();
  if (statx(AT_FDCWD, mount_point.c_str(), AT_STATX_DONT_SYNC, 0, &mounted) != 0 ||
      statx(AT_FDCWD, parent.c_str(), AT_STATX_DONT_SYNC, 0, &folder) != 0)
    return tl::unexpected(from_errno(errno, "look at " + mount_point.string()));
  if (mounted.stx_dev_major == folder.stx_dev_major && mounted.stx_dev_minor == folder.stx_dev_minor)
    return fail(errc::not_found, mount_point.string() + " is not mounted any more");
  const auto control = "/sys/class/bdi/" + std::to_string(mounted.stx_dev_major) + ":" +
                       std::to_string(mounted.stx_dev_minor) + "/read_ahead_kb";
  const auto file = open_at(AT_FDCWD, control, O_WRONLY);
  if (!file) return tl::unexpected(file.error());
  const auto text = std::to_string(bytes / 1024);
  return write_at(file->get(), std::as_bytes(std::span(text)), 0, control);
}

}  // namespace firstlight
