#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "fuse_bridge/kernel_resend.hpp"
#include "fuse_bridge/open_reply.hpp"
#include "fuse_bridge/writable/repeated_requests.hpp"
#include "fuse_bridge/writable/writable_operations.hpp"

namespace firstlight::writable_operations {
namespace {

/// O_TMPFILE: fuse_mount_session turns the request into the making of a file with this name.
constexpr std::string_view unnamed = "/";

/// A file with its own contents can be lent to the kernel; one that still shows the image's cannot: once it
/// is written to it has others.
open_way way_of(writable_session& session, const opened_file& file) {
  auto* const backing = session.backing.files(session);
  if (backing == nullptr) return {};
  return backing->open(file, [&] {
    const auto own = session.files->file_of(file.node);
    return own && *own != nullptr ? file_descriptor(fcntl((*own)->get(), F_DUPFD_CLOEXEC, 0))
                                  : file_descriptor{};
  });
}

bool writes(const fuse_file_info& file) {
  return (file.flags & O_ACCMODE) != O_RDONLY;
}

/// @returns what reply_open does
int reply_opened(fuse_req_t request, writable_session& session, const opened_file& opened,
                 const fuse_file_info& file, const fuse_entry_param* entry = nullptr) {
  if (writes(file)) session.writers.open(opened.node);
  return reply_open(request, way_of(session, opened), file, entry);
}

// The tree last: with it the inode of the disk may go, and then another file can have the number. That one
// must not find the backing file of this one, neither here nor, if this process dies in between, in the next.
void close_file(writable_session& session, const opened_file& opened, const fuse_file_info& file) {
  if (writes(file)) session.writers.close(opened.node);
  if (auto* const backing = session.backing.files(session)) backing->close(opened.handle);
  session.files->release(opened.node);
}

/// A file with this name, open for writing.
os_result<shown_file> create(writable_session& session, fuse_ino_t parent, const char* name, mode_t mode,
                             const maker& by) {
  auto& files = *session.files;
  if (name == unnamed) return files.make_unnamed(parent, mode, by);
  auto made = files.make(parent, name, S_IFREG | (mode & 07777U), 0, by, writable_tree::opened::yes);
  if (made || !request_is_repeated()) return made;
  const auto before = repeated::made(files, parent, name, std::move(made));
  if (before)
    if (const auto opened = files.open_file(before->number, O_RDWR, pace::at_once); !opened)
      return refuse(opened.error().error_number);
  return before;
}

void on_create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* file) {
  auto& session = session_of(request);
  const auto made = create(session, parent, name, mode, maker_of(request));
  if (!made) return answer(request, made);
  const auto entry = entry_for(*made);
  file->fh = request_number();
  const opened_file opened{file->fh, made->number};
  if (reply_opened(request, session, opened, *file, &entry) != 0) close_file(session, opened, *file);
}

void on_open(fuse_req_t request, fuse_ino_t number, fuse_file_info* file) {
  file->fh = request_number();  // another thread may answer
  // A change of the size like any other, but the kernel sends no attributes with it.
  const bool drops_set_ids = (file->flags & O_TRUNC) != 0 && fuse_req_ctx(request)->uid != 0;
  try_patiently(
      request,
      [files = session_of(request).files, number, flags = file->flags,
       drops_set_ids](pace how) -> patient_result<void> {
        auto opened = files->open_file(number, flags, how);
        const auto dropped = opened && drops_set_ids ? files->drop_set_ids(number) : os_result<void>{};
        if (dropped) return opened;
        files->release(number);
        return tl::unexpected(obstacle{dropped.error()});
      },
      [request, number, file = *file](const patient_result<void>& outcome) {
        if (!outcome) return void(fuse_reply_err(request, outcome.error().error_number));
        auto& session = core_of<writable_session>(fuse_req_userdata(request));
        const opened_file opened{file.fh, number};
        if (reply_opened(request, session, opened, file) != 0) close_file(session, opened, file);
      });
}

void on_release(fuse_req_t request, fuse_ino_t number, fuse_file_info* file) {
  close_file(session_of(request), {file->fh, number}, *file);
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
             {number, inode, entry.content, from, length, (file->flags & O_DIRECT) != 0,
              own_note(parts.image.recorder, entry.content)},
             parts.on_park);
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
  ++core_of<writable_session>(fuse_req_userdata(request)).parts.image.counters->writes;
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

/// Whether the kernel may have what was written to a mapping, and has not told it. It does not look itself,
/// nor can it be asked by the thread that it would tell.
bool may_be_written_to(writable_session& session, fuse_ino_t number) {
  auto* const backing = session.backing.files(session);
  if (backing != nullptr && backing->is_lent(number)) return false;
  return session.files->life() == session_life::taken_over || session.writers.any(number);
}

/// `own` as from `file_of`. Contents that are the image's still have its size. Errors: errno(3).
os_result<off_t> size_of(writable_tree& files, fuse_ino_t number, const file_descriptor* own) {
  if (own == nullptr) return static_cast<off_t>(files.toc().inode(files.image_of(number)).size);
  struct stat now {};
  if (fstat(own->get(), &now) != 0) return refuse_as_system();
  return now.st_size;
}

// Contents of the image have no holes, and where nobody knows of holes there are none.
void on_lseek(fuse_req_t request, fuse_ino_t number, off_t offset, int whence, fuse_file_info*) {
  auto& session = session_of(request);
  auto& files = *session.files;
  const auto own = files.file_of(number);
  if (!own) return void(fuse_reply_err(request, own.error()));
  if (*own != nullptr && !may_be_written_to(session, number)) {
    const auto place = lseek((*own)->get(), offset, whence);
    return void(place < 0 ? fuse_reply_err(request, errno) : fuse_reply_lseek(request, place));
  }
  const auto size = size_of(files, number, own->get());
  if (!size) return void(fuse_reply_err(request, size.error()));
  if (offset < 0 || offset >= *size) return void(fuse_reply_err(request, ENXIO));
  fuse_reply_lseek(request, whence == SEEK_HOLE ? *size : offset);
}

void on_copy_file_range(fuse_req_t request, fuse_ino_t from, off_t from_offset, fuse_file_info*,
                        fuse_ino_t to, off_t to_offset, fuse_file_info*, std::size_t bytes, int flags) {
  auto& session = session_of(request);
  const auto source = session.files->file_of(from);
  // The kernel then reads and writes.
  if (!source || *source == nullptr)
    return void(fuse_reply_err(request, source ? EOPNOTSUPP : source.error()));
  // Programs go on where it ends. Nothing at all would be the end of the file.
  const auto part = std::min<std::size_t>(bytes, std::max(session.parts.limits.copy_range_bytes_max, 1U));
  with_file(request, to, [&](int target) {
    const auto copied = copy_file_range((*source)->get(), &from_offset, target, &to_offset, part,
                                        static_cast<unsigned>(flags));
    copied < 0 ? fuse_reply_err(request, errno) : fuse_reply_write(request, static_cast<std::size_t>(copied));
  });
}

}  // namespace

void add_file_operations(fuse_lowlevel_ops& operations) {
  operations.create = on_create;
  operations.open = on_open;
  operations.release = on_release;
  operations.read = on_read;
  operations.write = on_write;
  operations.fallocate = on_fallocate;
  operations.fsync = on_fsync;
  operations.fsyncdir = on_fsync;
  operations.lseek = on_lseek;
  operations.copy_file_range = on_copy_file_range;
}

}  // namespace firstlight::writable_operations
