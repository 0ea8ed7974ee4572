#include "fuse_bridge/kernel_mount.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "fuse_bridge/upper_root.hpp"
#include "fuse_bridge/writable/work_folders.hpp"
#include "storage/folder_attributes.hpp"

namespace firstlight {
namespace {

constexpr const char* source_name = "firstlight";

result<void> failed(const std::string& what) {
  return tl::unexpected(from_errno(errno, what));
}

// In mount(2)'s option text these three separate or escape; overlayfs takes the backslashes away.
std::string escaped(const std::filesystem::path& path) {
  std::string text;
  for (const char c : path.string()) {
    if (c == ',' || c == ':' || c == '\\') text.push_back('\\');
    text.push_back(c);
  }
  return text;
}

result<void> prepare_layer(const std::filesystem::path& lower, const writable_layer& layer) {
  if (auto made = make_folders(layer.work); !made) return made;
  if (auto made = make_folders(layer.upper); !made) return made;
  return remove_work_folders(layer.work).and_then([&] {
    return give_root_once(layer.upper, [&] { return copy_folder_attributes(lower, layer.upper); });
  });
}

}  // namespace

result<void> make_private_folder(const std::filesystem::path& folder, const std::filesystem::path& target) {
  std::error_code problem;
  if (!std::filesystem::is_directory(target, problem))
    return fail(errc::not_found, target.string() + " is not an existing directory");
  if (auto made = make_folders(folder.parent_path()); !made) return made;
  if (mkdir(folder.c_str(), 0700) != 0) return failed("make " + folder.string());
  return {};
}

result<void> mount_fuse(int device, session_core::access access, const std::filesystem::path& on) {
  const auto options =
      "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions";
  const auto flags = access == session_core::access::read_only ? std::uint64_t{MS_RDONLY} : 0;
  if (mount(source_name, on.c_str(), "fuse.firstlight", flags, options.c_str()) != 0)
    return failed("mount FUSE on " + on.string());
  return {};
}

result<void> unmount(const std::filesystem::path& mount_point, busy_mount when_busy) {
  const int flags = UMOUNT_NOFOLLOW | (when_busy == busy_mount::detach ? MNT_DETACH : 0);
  if (umount2(mount_point.c_str(), flags) == 0) return {};
  if (errno == EINVAL || errno == ENOENT) return {};
  if (errno == EBUSY) return fail(errc::busy, mount_point.string() + " is in use");
  return failed("unmount " + mount_point.string());
}

void cut_off(const std::filesystem::path& fuse_mount_point) {
  // The kernel ends the connection first and then looks whether the mount is in use: both outcomes do.
  umount2(fuse_mount_point.c_str(), MNT_FORCE | UMOUNT_NOFOLLOW);
}

result<void> bind_mount(const std::filesystem::path& from, const std::filesystem::path& on) {
  if (mount(from.c_str(), on.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return failed("mount the image on " + on.string());
  return {};
}

std::string as_lowerdir(const overlay_lower& lower) {
  auto text = escaped(lower.tree);
  for (const auto& folder : lower.data) text += "::" + escaped(folder);
  return text;
}

result<void> mount_overlay(const overlay_lower& lower, const std::optional<writable_layer>& layer,
                           const std::filesystem::path& on) {
  if (layer)
    if (auto prepared = prepare_layer(lower.tree, *layer); !prepared) return prepared;
  // xino: one st_dev for all files, inode numbers that stay when a file is copied up.
  auto options = "xino=on,lowerdir=" + as_lowerdir(lower);
  // metacopy: chown and chmod copy no contents. redirect_dir: image directories can be renamed. index would
  // refuse to mount the same upper folder above the next mount of the same image.
  options += layer ? ",upperdir=" + escaped(layer->upper) + ",workdir=" + escaped(layer->work) +
                         ",metacopy=on,redirect_dir=on,index=off"
                   : ",metacopy=on,redirect_dir=follow";
  if (options.size() >= static_cast<std::size_t>(sysconf(_SC_PAGESIZE)))
    return fail(errc::invalid_argument,
                "the paths of the layers of " + on.string() + " are too long for a mount");
  if (mount(source_name, on.c_str(), "overlay", 0, options.c_str()) == 0) return {};
  const auto number = errno;
  if (number == EINVAL && !lower.data.empty())
    return fail(errc::unsupported, "this kernel's overlayfs takes no data-only layers (Linux 6.5)");
  if (number == ENODEV) return fail(errc::unsupported, "this kernel has no overlayfs");
  auto what = "mount overlayfs on " + on.string();
  if (layer)
    what += " (upper " + layer->upper.string() + ", work " + layer->work.string() +
            ": one local file system with xattrs, work empty, not used elsewhere)";
  auto why = from_errno(number, what);
  if (number == EINVAL && layer) why.code = errc::unsupported;  // the disk does not suit
  return tl::unexpected(std::move(why));
}

result<void> mount_erofs(const std::filesystem::path& file, const std::filesystem::path& on) {
  if (mount(file.c_str(), on.c_str(), "erofs", MS_RDONLY, "") == 0) return {};
  if (errno == ENODEV) return fail(errc::unsupported, "this kernel has no EROFS");
  if (errno == ENOTBLK)
    return fail(errc::unsupported, "this kernel mounts no EROFS image that is a file of the file system of " +
                                       file.parent_path().string() + " (Linux 6.12, a disk's file system)");
  return failed("mount the EROFS image " + file.string());
}

}  // namespace firstlight
