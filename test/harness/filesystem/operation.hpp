#pragma once
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace firstlight::fstest {

/// What a program does to a file system, by path or through a file that it holds open.
enum class action : std::uint8_t {
  write,          ///< opens (flags), writes `size` bytes at `offset`, closes
  append,         ///< the same with O_APPEND
  read,           ///< the whole file
  truncate,       ///< to `size`, by a descriptor
  truncate_path,  ///< the same by a path, whose symbolic links are followed
  make_file,      ///< O_CREAT | O_EXCL, mode
  make_folder,
  remove_folder,
  unlink,
  rename,        ///< path to other; flags of renameat2
  link,          ///< other is a new name of path
  symlink,       ///< path points to other
  make_special,  ///< a named pipe, a socket or a character or block device 1:3; file type in flags, mode
  change_mode,
  change_owner,  ///< uid in offset, gid in size
  set_time,      ///< modification time `offset` seconds, `size` nanoseconds (or UTIME_NOW, UTIME_OMIT)
  set_xattr,     ///< name user.N of `size`, value of `offset` bytes
  get_xattr,
  list_xattrs,
  remove_xattr,
  allocate,    ///< fallocate with flags
  copy_range,  ///< from path to other, through copy_file_range
  map_write,   ///< writes `size` bytes at `offset` through a shared mapping
  list,        ///< names and types in a folder
  list_begin,  ///< opens a folder into a slot, to be listed in parts
  list_more,
  list_end,  ///< lists the rest
  sync_folder,
  look,  ///< lstat
  read_link,
  hold,  ///< opens for reading and writing into a slot
  held_write,
  held_read,
  held_truncate,
  held_sync,
  held_look,
  held_lock,  ///< flock(2) with flags
  let_go,
  open_as_user,  ///< opens (flags) as a user other than root, and writes if it is for that
  make_unnamed,  ///< O_TMPFILE in folder path, written, linked as other
  find_holes,    ///< the whole file by SEEK_DATA and SEEK_HOLE
  ask_space,     ///< fstatvfs, what of it does not change
  ask_terminal,  ///< an ioctl(2) that is no file's
  held_find_holes,
  held_change_mode,
  held_change_owner,
  held_set_time,
  held_set_xattr,
  held_lock_range,       ///< from `offset`, `size` bytes, type in flags; owned by the slot (F_OFD_SETLK)
  held_ask_range,        ///< who is in the way of that (F_OFD_GETLK)
  held_lock_as_process,  ///< the same, owned by this process (F_SETLK)
  count_,                ///< no action: how many there are
};

struct operation {
  action what = action::look;
  std::string path;
  std::string other;
  std::int64_t offset = 0;
  std::int64_t size = 0;
  std::uint32_t flags = 0;
  std::uint32_t mode = 0;
  std::uint32_t slot = 0;
};

/// Whether it uses the file that its slot holds. Those that put one there or let it go do not.
[[nodiscard]] bool uses_held_file(action what);

/// One line, for people.
[[nodiscard]] std::string to_text(const operation& what);

/// A sequence that depends on the seed alone. Paths are those given, and names that it makes below the
/// folders among them; few, so that operations meet.
[[nodiscard]] std::vector<operation> random_operations(std::uint64_t seed, std::size_t count,
                                                       const std::vector<std::string>& files,
                                                       const std::vector<std::string>& folders);

/// The bytes that an operation writes: they follow from it.
[[nodiscard]] std::string bytes_of(const operation& what);

}  // namespace firstlight::fstest
