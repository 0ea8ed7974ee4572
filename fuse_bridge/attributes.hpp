#pragma once
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <optional>
#include <string>
#include <string_view>

#include "storage/erofs/shown_sizes.hpp"

namespace firstlight {

/// How extended attributes are named towards the kernel.
enum class xattr_names : std::uint8_t {
  as_in_image,
  /// As model/overlay_names.hpp says: for a mount that an overlayfs stands above.
  escaped_for_overlay,
};

/// st_* of an inode as the image says: st_ino is the inode number, all three times are the modification
/// time, blocks are what the size needs at 4 KiB each. The TOC does not say sizes of directories: they are
/// the same as in an EROFS image.
[[nodiscard]] struct stat attributes_of(const inode_view& inode, inode_number number,
                                        const directory_sizes& directories);

/// st_blocks of a file or directory of this size, without holes.
[[nodiscard]] blkcnt_t sectors_for(std::uint64_t bytes);

/// Totals of a full, read-only file system that holds exactly this image. Those of an EROFS image are the
/// same, but that it has ever more inodes free.
[[nodiscard]] struct statvfs statistics_of(const toc_view& toc);

/// Whether permissions of any file are more than its mode says: acl(5).
[[nodiscard]] bool has_access_lists(const toc_view& toc);

/// The value of the attribute that the kernel knows as `name`.
[[nodiscard]] std::optional<std::string_view> find_xattr(const toc_view& toc, const inode_view& inode,
                                                         std::string_view name, xattr_names naming);

/// All names, each followed by a NUL byte, as listxattr(2) gives them.
[[nodiscard]] std::string list_xattrs(const toc_view& toc, const inode_view& inode, xattr_names naming);

/// Such a list without the names that begin with "trusted.".
[[nodiscard]] std::string without_trusted(std::string_view names);

}  // namespace firstlight
