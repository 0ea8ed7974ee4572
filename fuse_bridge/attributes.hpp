#pragma once
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <optional>
#include <string>
#include <string_view>

#include "schemas/toc.hpp"

namespace firstlight {

/// How extended attributes are named towards the kernel.
enum class xattr_names : std::uint8_t {
  as_in_image,
  /// As model/overlay_names.hpp says: for a mount that an overlayfs stands above.
  escaped_for_overlay,
};

/// st_* of an inode as the image says: st_ino is the inode number, all three times are the modification
/// time, blocks are what the size needs at 4 KiB each.
[[nodiscard]] struct stat attributes_of(const inode_view& inode, inode_number number);

/// Totals of a full, read-only file system that holds exactly this image.
[[nodiscard]] struct statvfs statistics_of(const toc_view& toc);

[[nodiscard]] bool has_xattrs(const toc_view& toc);

/// The value of the attribute that the kernel knows as `name`.
[[nodiscard]] std::optional<std::string_view> find_xattr(const toc_view& toc, const inode_view& inode,
                                                         std::string_view name, xattr_names naming);

/// All names, each followed by a NUL byte, as listxattr(2) gives them.
[[nodiscard]] std::string list_xattrs(const toc_view& toc, const inode_view& inode, xattr_names naming);

}  // namespace firstlight
