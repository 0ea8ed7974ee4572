#include "fuse_bridge/fuse_mount_session.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "fuse_bridge/kernel_mount.hpp"
#include "fuse_bridge/libfuse.hpp"
#include "fuse_bridge/read_path.hpp"
#include "fuse_bridge/toc_operations.hpp"

namespace firstlight {
namespace {

// The device does not block, so that a stop is seen although the kernel has nothing to ask. ENODEV is what
// the kernel says when the last mount is gone: libfuse takes it as the end of the session.
ssize_t wait_and_read(int device, void* buffer, size_t bytes, void* user) {
  const auto& context = *static_cast<session_context*>(user);
  pollfd sources[] = {{device, POLLIN, 0}, {context.stop.get(), POLLIN, 0}};
  for (;;) {
    const auto got = read(device, buffer, bytes);
    if (got >= 0 || errno != EAGAIN) return got;
    if (poll(sources, std::size(sources), -1) < 0 && errno != EINTR) return -1;
    if ((sources[1].revents & POLLIN) != 0) {
      errno = ENODEV;
      return -1;
    }
  }
}

ssize_t write_reply(int device, iovec* parts, int count, void*) {
  return writev(device, parts, count);
}

::fuse_session* new_session(session_context& context) {
  char program[] = "firstlight";
  char* arguments[] = {program, nullptr};
  fuse_args args = FUSE_ARGS_INIT(1, arguments);
  return fuse_session_new(&args, &toc_operations(), sizeof(fuse_lowlevel_ops), &context);
}

}  // namespace

result<std::unique_ptr<fuse_mount_session>> fuse_mount_session::start(
    session_parts parts, const std::filesystem::path& mount_point) {
  file_descriptor stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop) return tl::unexpected(from_errno(errno, "make an eventfd"));
  std::unique_ptr<fuse_mount_session> session(new fuse_mount_session(std::move(parts), std::move(stop)));
  if (auto opened = session->open(mount_point); !opened) return tl::unexpected(opened.error());
  return session;
}

result<void> fuse_mount_session::open(const std::filesystem::path& mount_point) {
  auto device = open_at(AT_FDCWD, "/dev/fuse", O_RDWR | O_NONBLOCK);
  if (!device) return tl::unexpected(device.error());
  session_ = new_session(context_);
  if (session_ == nullptr) return fail(errc::io, "libfuse made no session; does the process have too many?");
  // The session owns the device as soon as it has taken it.
  const fuse_custom_io io{write_reply, wait_and_read, nullptr, nullptr};
  if (const int status = fuse_session_custom_io(session_, &io, device->get()); status != 0)
    return tl::unexpected(from_errno(-status, "hand /dev/fuse to libfuse"));
  if (auto mounted = mount_fuse(device->release(), mount_point); !mounted) return mounted;
  const auto threads = std::max(context_.parts.limits.loop_threads, 1U);
  running_ = threads;
  for (std::uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { loop(); });
  return {};
}

void fuse_mount_session::loop() {
  pthread_setname_np(pthread_self(), "fuse");
  fuse_buf buffer{};
  while (fuse_session_exited(session_) == 0) {
    const int got = fuse_session_receive_buf(session_, &buffer);
    if (got == -EINTR) continue;
    if (got <= 0) break;
    fuse_session_process_buf(session_, &buffer);
  }
  std::free(buffer.mem);
  // Another thread may still wait in poll: the device is dead for all.
  if (--running_ == 0 && !stopping_) context_.parts.on_end();
}

fuse_mount_session::~fuse_mount_session() {
  stopping_ = true;
  for (const auto& read : context_.parts.parked->close()) refuse_read(*context_.parts.counters, read, EIO);
  const std::uint64_t one = 1;
  // An eventfd takes the first eight bytes that are written to it.
  [[maybe_unused]] const auto written = write(context_.stop.get(), &one, sizeof one);
  for (auto& thread : threads_) thread.join();
  if (session_ != nullptr) fuse_session_destroy(session_);
}

}  // namespace firstlight
