// The kernel's requests to a writable_session: each is turned into one call of its writable_tree.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "fuse_bridge/libfuse.hpp"
#include "fuse_bridge/writable/writable_session.hpp"

namespace firstlight {
namespace {

// Nothing changes behind the kernel's back: it may keep what it knows for as long as it has memory.
constexpr double valid_seconds = 365.0 * 24 * 3600;

/// O_TMPFILE: fuse_mount_session turns the request into the making of a file with this name.
constexpr std::string_view unnamed = "/";

writable_session& session_of(fuse_req_t request) {
  auto& session = core_of<writable_session>(fuse_req_userdata(request));
  ++session.parts.image.counters->requests;
  return session;
}

maker maker_of(fuse_req_t request) {
  const auto* const context = fuse_req_ctx(request);
  return {context->uid, context->gid, context->umask};
}

fuse_entry_param entry_for(const shown_file& file) {
  fuse_entry_param entry{};
  entry.ino = file.number;
  entry.attr = file.attributes;
  entry.attr_timeout = entry.entry_timeout = valid_seconds;
  return entry;
}

void answer(fuse_req_t request, const os_result<void>& outcome) {
  fuse_reply_err(request, outcome ? 0 : outcome.error());
}
void answer(fuse_req_t request, const os_result<shown_file>& outcome) {
  if (!outcome) return void(fuse_reply_err(request, outcome.error()));
  const auto entry = entry_for(*outcome);
  fuse_reply_entry(request, &entry);
}

void on_init(void* user, fuse_conn_info* connection) {
  const auto& parts = core_of<writable_session>(user).parts;
  connection->max_readahead = parts.image.toc->block_bytes();
  connection->max_background = parts.limits.kernel_background_max;
  connection->congestion_threshold = parts.limits.kernel_background_max;
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ |
                                             FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
  connection->want |=
      connection->capable &
      static_cast<unsigned>(FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS |
                            FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_ATOMIC_O_TRUNC |
                            FUSE_CAP_DONT_MASK | FUSE_CAP_POSIX_ACL);
}

void on_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  const auto found = session_of(request).files->lookup(parent, name);
  if (found || found.error() != ENOENT) return answer(request, found);
  fuse_entry_param nothing{};  // inode 0: "it is not there", kept as long
  nothing.entry_timeout = valid_seconds;
  fuse_reply_entry(request, &nothing);
}

void on_forget(fuse_req_t request, fuse_ino_t number, std::uint64_t) {
  session_of(request).files->forget(number);
  fuse_reply_none(request);
}
void on_forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* all) {
  auto& files = *session_of(request).files;
  for (const auto& one : std::span(all, count)) files.forget(one.ino);
  fuse_reply_none(request);
}

void answer(fuse_req_t request, const os_result<struct stat>& outcome) {
  if (!outcome) return void(fuse_reply_err(request, outcome.error()));
  fuse_reply_attr(request, &*outcome, valid_seconds);
}

void on_getattr(fuse_req_t request, fuse_ino_t number, fuse_file_info*) {
  answer(request, session_of(request).files->attributes(number));
}

/// Tries, and if contents are missing waits for them and tries once more. `attempt` gives a patient_result,
/// `reply` takes its value or an errno.
template <class Attempt, class Reply>
void try_patiently(fuse_req_t request, Attempt attempt, Reply reply) {
  const auto outcome = attempt();
  if (outcome || !outcome.error().missing) return reply(outcome);
  const auto& session = core_of<writable_session>(fuse_req_userdata(request));
  const auto& missing = *outcome.error().missing;
  parked_request parked{request,
                        session.parts.image.counters,
                        session.parts.image.toc,
                        missing.blocks.content,
                        0,
                        static_cast<std::uint32_t>(std::min<std::uint64_t>(missing.bytes, UINT32_MAX)),
                        static_cast<std::uint32_t>(fuse_req_ctx(request)->pid)};
  parked.resume = [attempt, reply](int error_number) {
    auto again = error_number == 0 ? attempt() : tl::unexpected(obstacle{error_number, {}});
    if (!again && again.error().missing) again = tl::unexpected(obstacle{EIO, {}});
    reply(again);
  };
  wait_for_blocks(session.parts.reads, missing.inode, missing.blocks, parked, session.parts.on_park);
}

attribute_changes changes_of(const struct stat& wanted, int valid) {
  attribute_changes changes;
  if ((valid & FUSE_SET_ATTR_MODE) != 0) changes.mode = wanted.st_mode;
  if ((valid & FUSE_SET_ATTR_UID) != 0) changes.uid = wanted.st_uid;
  if ((valid & FUSE_SET_ATTR_GID) != 0) changes.gid = wanted.st_gid;
  if ((valid & FUSE_SET_ATTR_SIZE) != 0) changes.size = static_cast<std::uint64_t>(wanted.st_size);
  if ((valid & FUSE_SET_ATTR_ATIME) != 0) changes.accessed = wanted.st_atim;
  if ((valid & FUSE_SET_ATTR_ATIME_NOW) != 0) changes.accessed.tv_nsec = UTIME_NOW;
  if ((valid & FUSE_SET_ATTR_MTIME) != 0) changes.modified = wanted.st_mtim;
  if ((valid & FUSE_SET_ATTR_MTIME_NOW) != 0) changes.modified.tv_nsec = UTIME_NOW;
  return changes;
}

void on_setattr(fuse_req_t request, fuse_ino_t number, struct stat* wanted, int valid, fuse_file_info*) {
  const auto changes = changes_of(*wanted, valid);
  try_patiently(
      request,
      [files = session_of(request).files, number, changes] { return files->set_attributes(number, changes); },
      [request](const patient_result<struct stat>& outcome) {
        if (!outcome) return void(fuse_reply_err(request, outcome.error().error_number));
        fuse_reply_attr(request, &*outcome, valid_seconds);
      });
}

void on_readlink(fuse_req_t request, fuse_ino_t number) {
  const auto target = session_of(request).files->read_link(number);
  if (!target) return void(fuse_reply_err(request, target.error()));
  fuse_reply_readlink(request, target->c_str());
}

void on_mknod(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  answer(request, session_of(request).files->make(parent, name, mode, device, maker_of(request),
                                                  writable_tree::opened::no));
}
void on_mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  answer(request, session_of(request).files->make(parent, name, S_IFDIR | (mode & 07777U), 0,
                                                  maker_of(request), writable_tree::opened::no));
}
void on_symlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  answer(request, session_of(request).files->make_symlink(parent, name, target, maker_of(request)));
}
void on_unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer(request, session_of(request).files->unlink(parent, name));
}
void on_rmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer(request, session_of(request).files->remove_folder(parent, name));
}
void on_rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
               const char* new_name, unsigned flags) {
  answer(request, session_of(request).files->rename({parent, name}, {new_parent, new_name}, flags));
}
void on_link(fuse_req_t request, fuse_ino_t number, fuse_ino_t new_parent, const char* new_name) {
  answer(request, session_of(request).files->link(number, new_parent, new_name));
}

void on_create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* file) {
  auto& files = *session_of(request).files;
  const auto made = name == unnamed ? files.make_unnamed(parent, mode, maker_of(request))
                                    : files.make(parent, name, S_IFREG | (mode & 07777U), 0,
                                                 maker_of(request), writable_tree::opened::yes);
  if (!made) return answer(request, made);
  const auto entry = entry_for(*made);
  file->keep_cache = 1;
  if (fuse_reply_create(request, &entry, file) != 0) files.release(made->number);
}

void on_open(fuse_req_t request, fuse_ino_t number, fuse_file_info* file) {
  file->keep_cache = 1;  // all writing goes through the kernel
  try_patiently(
      request,
      [files = session_of(request).files, number, flags = file->flags] {
        return files->open_file(number, flags);
      },
      [request, number, file = *file](const patient_result<void>& outcome) {
        if (!outcome) return void(fuse_reply_err(request, outcome.error().error_number));
        const auto files = core_of<writable_session>(fuse_req_userdata(request)).files;
        if (fuse_reply_open(request, &file) != 0) files->release(number);
      });
}

void on_release(fuse_req_t request, fuse_ino_t number, fuse_file_info*) {
  session_of(request).files->release(number);
  fuse_reply_err(request, 0);
}

void read_own(fuse_req_t request, int from, std::size_t bytes, off_t offset) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(bytes);
  const auto got = pread(from, buffer.get(), bytes, offset);
  if (got < 0) return void(fuse_reply_err(request, errno));
  fuse_reply_buf(request, buffer.get(), static_cast<std::size_t>(got));
}

void on_read(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t offset, fuse_file_info* file) {
  auto& session = session_of(request);
  const auto own = session.files->file_of(number);
  if (!own || offset < 0) return void(fuse_reply_err(request, own ? EINVAL : own.error()));
  auto& parts = session.parts;
  ++parts.image.counters->reads;
  if (*own != nullptr) return read_own(request, (*own)->get(), bytes, offset);
  const auto inode = session.files->image_of(number);
  const auto entry = parts.image.toc->inode(inode);
  const auto from = static_cast<std::uint64_t>(offset);
  const auto length = readable_bytes(entry.size, from, bytes);
  if (entry.content == image_inode::no_content || length == 0)
    return void(fuse_reply_buf(request, nullptr, 0));
  serve_read(parts.reads, session.refused, request, parts.image,
             {number, inode, entry.content, from, length, (file->flags & O_DIRECT) != 0}, parts.on_park);
}

/// Calls `use` with the descriptor of a file that was opened for writing.
template <class Use>
void with_file(fuse_req_t request, fuse_ino_t number, Use use) {
  const auto own = session_of(request).files->file_of(number);
  if (!own || *own == nullptr) return void(fuse_reply_err(request, own ? EBADF : own.error()));
  use((*own)->get());
}

void on_write(fuse_req_t request, fuse_ino_t number, const char* from, std::size_t bytes, off_t offset,
              fuse_file_info*) {
  with_file(request, number, [&](int file) {
    std::size_t written = 0;
    while (written < bytes) {
      const auto put = pwrite(file, from + written, bytes - written, offset + static_cast<off_t>(written));
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0 && written == 0) return void(fuse_reply_err(request, put == 0 ? EIO : errno));
      if (put <= 0) break;
      written += static_cast<std::size_t>(put);
    }
    fuse_reply_write(request, written);
  });
}

void on_fallocate(fuse_req_t request, fuse_ino_t number, int mode, off_t offset, off_t bytes,
                  fuse_file_info*) {
  with_file(request, number, [&](int file) {
    fuse_reply_err(request, fallocate(file, mode, offset, bytes) == 0 ? 0 : errno);
  });
}

void on_fsync(fuse_req_t request, fuse_ino_t number, int data_only, fuse_file_info*) {
  const auto file = session_of(request).files->for_sync(number);
  if (!file || !*file) return void(fuse_reply_err(request, file ? 0 : file.error()));
  const int status = data_only != 0 ? fdatasync((*file)->get()) : fsync((*file)->get());
  fuse_reply_err(request, status == 0 ? 0 : errno);
}

// Contents of the image have no holes.
void on_lseek(fuse_req_t request, fuse_ino_t number, off_t offset, int whence, fuse_file_info*) {
  auto& files = *session_of(request).files;
  const auto own = files.file_of(number);
  if (!own) return void(fuse_reply_err(request, own.error()));
  if (*own != nullptr) {
    const auto place = lseek((*own)->get(), offset, whence);
    return void(place < 0 ? fuse_reply_err(request, errno) : fuse_reply_lseek(request, place));
  }
  const auto size = static_cast<off_t>(files.toc().inode(files.image_of(number)).size);
  if (offset < 0 || offset >= size) return void(fuse_reply_err(request, ENXIO));
  fuse_reply_lseek(request, whence == SEEK_HOLE ? size : offset);
}

void on_copy_file_range(fuse_req_t request, fuse_ino_t from, off_t from_offset, fuse_file_info*,
                        fuse_ino_t to, off_t to_offset, fuse_file_info*, std::size_t bytes, int flags) {
  const auto source = session_of(request).files->file_of(from);
  // The kernel then reads and writes.
  if (!source || *source == nullptr)
    return void(fuse_reply_err(request, source ? EOPNOTSUPP : source.error()));
  with_file(request, to, [&](int target) {
    const auto copied = copy_file_range((*source)->get(), &from_offset, target, &to_offset, bytes,
                                        static_cast<unsigned>(flags));
    copied < 0 ? fuse_reply_err(request, errno) : fuse_reply_write(request, static_cast<std::size_t>(copied));
  });
}

void on_opendir(fuse_req_t request, fuse_ino_t, fuse_file_info* folder) {
  auto& listings = session_of(request).folders;
  folder->fh = listings.open();
  if (fuse_reply_open(request, folder) != 0) listings.close(folder->fh);
}
void on_releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info* folder) {
  session_of(request).folders.close(folder->fh);
  fuse_reply_err(request, 0);
}

enum class listing { names, names_and_attributes };

void list(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t offset, std::uint64_t handle,
          listing what) {
  auto& session = session_of(request);
  auto entries = offset == 0 ? nullptr : session.folders.get(handle);
  if (entries == nullptr) {
    auto now = session.files->list(number);
    if (!now) return void(fuse_reply_err(request, now.error()));
    entries = std::make_shared<const std::vector<listed_entry>>(std::move(*now));
    session.folders.set(handle, entries);
  }
  std::vector<char> buffer(bytes);
  std::size_t used = 0;
  for (auto place = static_cast<std::size_t>(offset); place < entries->size(); ++place) {
    const auto& [name, child] = (*entries)[place];
    auto attributes = session.files->attributes(child);
    if (!attributes) continue;  // removed meanwhile
    auto* const at = buffer.data() + used;
    const auto room = buffer.size() - used;
    const auto next = static_cast<off_t>(place + 1);
    const auto entry = entry_for({child, *attributes});
    const auto needed = what == listing::names
                            ? fuse_add_direntry(request, at, room, name.c_str(), &entry.attr, next)
                            : fuse_add_direntry_plus(request, at, room, name.c_str(), &entry, next);
    if (needed > room) break;
    used += needed;
  }
  fuse_reply_buf(request, buffer.data(), used);
}

void on_readdir(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t offset,
                fuse_file_info* folder) {
  list(request, number, bytes, offset, folder->fh, listing::names);
}
void on_readdirplus(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t offset,
                    fuse_file_info* folder) {
  list(request, number, bytes, offset, folder->fh, listing::names_and_attributes);
}

void reply_value(fuse_req_t request, const os_result<std::string>& value, std::size_t room) {
  if (!value)
    fuse_reply_err(request, value.error());
  else if (room == 0)
    fuse_reply_xattr(request, value->size());
  else if (value->size() > room)
    fuse_reply_err(request, ERANGE);
  else
    fuse_reply_buf(request, value->data(), value->size());
}

void on_getxattr(fuse_req_t request, fuse_ino_t number, const char* name, std::size_t room) {
  reply_value(request, session_of(request).files->get_xattr(number, name), room);
}
void on_listxattr(fuse_req_t request, fuse_ino_t number, std::size_t room) {
  reply_value(request, session_of(request).files->list_xattrs(number), room);
}
void on_setxattr(fuse_req_t request, fuse_ino_t number, const char* name, const char* value,
                 std::size_t bytes, int flags) {
  answer(request, session_of(request).files->set_xattr(number, name, {value, bytes}, flags));
}
void on_removexattr(fuse_req_t request, fuse_ino_t number, const char* name) {
  answer(request, session_of(request).files->remove_xattr(number, name));
}

void on_statfs(fuse_req_t request, fuse_ino_t) {
  const auto statistics = session_of(request).files->statistics();
  if (!statistics) return void(fuse_reply_err(request, statistics.error()));
  fuse_reply_statfs(request, &*statistics);
}

fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops operations{};
  operations.init = on_init;
  operations.lookup = on_lookup;
  operations.forget = on_forget;
  operations.forget_multi = on_forget_multi;
  operations.getattr = on_getattr;
  operations.setattr = on_setattr;
  operations.readlink = on_readlink;
  operations.mknod = on_mknod;
  operations.mkdir = on_mkdir;
  operations.symlink = on_symlink;
  operations.unlink = on_unlink;
  operations.rmdir = on_rmdir;
  operations.rename = on_rename;
  operations.link = on_link;
  operations.create = on_create;
  operations.open = on_open;
  operations.release = on_release;
  operations.read = on_read;
  operations.write = on_write;
  operations.fallocate = on_fallocate;
  operations.fsync = on_fsync;
  operations.lseek = on_lseek;
  operations.copy_file_range = on_copy_file_range;
  operations.opendir = on_opendir;
  operations.releasedir = on_releasedir;
  operations.fsyncdir = on_fsync;
  operations.readdir = on_readdir;
  operations.readdirplus = on_readdirplus;
  operations.getxattr = on_getxattr;
  operations.listxattr = on_listxattr;
  operations.setxattr = on_setxattr;
  operations.removexattr = on_removexattr;
  operations.statfs = on_statfs;
  // Everything else libfuse answers with ENOSYS: flush has nothing to do, locks are the kernel's own,
  // ioctl(2) gives ENOTTY.
  return operations;
}

}  // namespace

const fuse_lowlevel_ops& writable_session::operations() const {
  static const fuse_lowlevel_ops all = make_operations();
  return all;
}

}  // namespace firstlight
