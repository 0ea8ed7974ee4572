#include "fuse_bridge/attributes.hpp"

#include <sys/sysmacros.h>

#include <algorithm>

#include "model/overlay_names.hpp"

namespace firstlight {
namespace {

std::string kernel_name(std::string_view name, xattr_names naming) {
  if (naming == xattr_names::as_in_image || !is_overlay_mark(name)) return std::string(name);
  return std::string(escaped_mark_prefix).append(overlay_mark_suffix(name));
}

}  // namespace

blkcnt_t sectors_for(std::uint64_t bytes) {
  constexpr std::uint64_t sector_bytes = 512;
  return static_cast<blkcnt_t>(blocks_for(bytes) * (shown_block_bytes / sector_bytes));
}

struct stat attributes_of(const inode_view& inode, inode_number number, const directory_sizes& directories) {
  const auto size = inode.type == file_type::directory ? directories.of(inode) : inode.size;
  struct stat st {};
  st.st_ino = number;
  st.st_mode = inode.mode;
  st.st_nlink = inode.links;
  st.st_uid = inode.uid;
  st.st_gid = inode.gid;
  st.st_rdev = makedev(inode.device_major, inode.device_minor);
  st.st_size = static_cast<off_t>(size);
  st.st_blksize = shown_block_bytes;
  if (inode.type == file_type::regular || inode.type == file_type::directory)
    st.st_blocks = sectors_for(size);
  st.st_mtim.tv_sec = inode.modified.seconds;
  st.st_mtim.tv_nsec = static_cast<long>(inode.modified.nanoseconds);
  st.st_atim = st.st_ctim = st.st_mtim;
  return st;
}

struct statvfs statistics_of(const toc_view& toc) {
  struct statvfs fs {};
  fs.f_bsize = fs.f_frsize = shown_block_bytes;
  fs.f_blocks = blocks_of_image(toc);
  fs.f_files = toc.inode_count();
  fs.f_flag = ST_RDONLY;
  fs.f_namemax = 255;
  return fs;
}

bool has_access_lists(const toc_view& toc) {
  for (std::uint32_t index = 0; index < toc.xattribute_count(); ++index)
    if (toc.xattribute(index).name == "system.posix_acl_access") return true;
  return false;
}

std::optional<std::string_view> find_xattr(const toc_view& toc, const inode_view& inode,
                                           std::string_view name, xattr_names naming) {
  for (std::uint32_t position = 0; position < inode.xattr_count; ++position) {
    const auto attribute = toc.xattribute(inode, position);
    if (attribute.name.size() <= name.size() && kernel_name(attribute.name, naming) == name)
      return attribute.value;
  }
  return std::nullopt;
}

std::string list_xattrs(const toc_view& toc, const inode_view& inode, xattr_names naming) {
  std::string names;
  for (std::uint32_t position = 0; position < inode.xattr_count; ++position)
    names.append(kernel_name(toc.xattribute(inode, position).name, naming)).push_back('\0');
  return names;
}

std::string without_trusted(std::string_view names) {
  std::string left;
  while (!names.empty()) {
    const auto name = names.substr(0, std::min(names.find('\0'), names.size() - 1) + 1);
    if (!name.starts_with("trusted.")) left.append(name);
    names.remove_prefix(name.size());
  }
  return left;
}

}  // namespace firstlight
