#include "fuse_bridge/fuse_mount_session.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>

#include "fuse_bridge/kernel_mount.hpp"
#include "fuse_bridge/kernel_resend.hpp"
#include "fuse_bridge/libfuse.hpp"
#include "fuse_bridge/unanswered.hpp"

namespace firstlight {
namespace {

// From the kernel's include/uapi/linux/fuse.h, version 7.40: resending came with Linux 6.9.
constexpr std::uint32_t opcode_init = 26;
constexpr std::uint32_t opcode_create = 35;
constexpr std::uint32_t opcode_tmpfile = 51;
constexpr std::uint32_t flags_are_extended = 1U << 30U;  // FUSE_INIT_EXT
constexpr std::uint32_t flags2_has_resend = 1U << 7U;    // FUSE_HAS_RESEND, bit 39 of both words
constexpr std::uint32_t flags2_passthrough = 1U << 5U;   // FUSE_PASSTHROUGH, bit 37
struct init_request {
  fuse_in_header header;
  std::uint32_t major;
  std::uint32_t minor;
  std::uint32_t max_readahead;
  std::uint32_t flags;
  std::uint32_t flags2;
};

struct init_reply {
  fuse_out_header header;
  std::uint32_t before_flags2[8];  // of fuse_init_out, as minor version 23 has it
  std::uint32_t flags2;
  std::uint32_t max_stack_depth;
  std::uint32_t unused[6];
};
static_assert(sizeof(init_reply) == sizeof(fuse_out_header) + 64);

/// The kernel's second word of flags; 0 when it has none.
std::uint32_t offered(bytes_view message) {
  init_request init{};
  if (message.size() < sizeof init) return 0;
  std::memcpy(&init, message.data(), sizeof init);
  const bool extended = init.header.opcode == opcode_init && (init.flags & flags_are_extended) != 0;
  return extended ? init.flags2 : 0;
}

/// Whether the kernel can repeat to a new process what it has asked a dead one.
bool offers_resend(bytes_view message) {
  return (offered(message) & flags2_has_resend) != 0;
}

/// As if the kernel could not.
void take_resend_back(std::vector<std::byte>& message) {
  if (!offers_resend(message)) return;
  init_request init{};
  std::memcpy(&init, message.data(), sizeof init);
  init.flags2 &= ~flags2_has_resend;
  std::memcpy(message.data(), &init, sizeof init);
}

/// libfuse 3.14 does not know passthrough: its answer to FUSE_INIT is completed here. One more file system
/// may stand above this one, and none below its backing files.
ssize_t write_init_reply(int device, iovec* parts, int count) {
  init_reply reply{};
  std::size_t bytes = 0;
  for (const auto& part : std::span(parts, static_cast<std::size_t>(count))) {
    const auto fits = std::min(part.iov_len, sizeof reply - bytes);
    std::memcpy(reinterpret_cast<char*>(&reply) + bytes, part.iov_base, fits);
    bytes += fits;
  }
  if (bytes == sizeof reply) {
    reply.flags2 |= flags2_passthrough;
    reply.max_stack_depth = 1;
  }
  return write(device, &reply, bytes);
}

void note_passthrough(session_core& core, bytes_view message) {
  if (!core.wants_passthrough() || (offered(message) & flags2_passthrough) == 0) return;
  fuse_in_header header{};
  std::memcpy(&header, message.data(), sizeof header);
  core.channel().init_unique = header.unique;
  core.channel().passthrough = true;
}

void note_first(session_core& core, const void* buffer, std::size_t bytes) {
  auto& channel = core.channel();
  if (channel.greeted.exchange(true)) return;
  const bytes_view message(static_cast<const std::byte*>(buffer), bytes);
  note_passthrough(core, message);
  std::vector<std::byte> init(message.begin(), message.end());
  if (!core.wants_resend()) take_resend_back(init);
  const std::lock_guard lock(channel.init_mutex);
  channel.init = share(std::move(init));
}

// libfuse 3.14 does not know FUSE_TMPFILE. Message and answer are those of FUSE_CREATE with the name "/",
// which no file can have otherwise.
void turn_unnamed_into_create(void* buffer, std::size_t bytes) {
  fuse_in_header header{};
  if (bytes < sizeof header) return;
  std::memcpy(&header, buffer, sizeof header);
  if (header.opcode != opcode_tmpfile) return;
  header.opcode = opcode_create;
  std::memcpy(buffer, &header, sizeof header);
}

// The device does not block, so that a stop is seen although the kernel has nothing to ask. ENODEV is what
// the kernel says when the last mount is gone: libfuse takes it as the end of the session, and then drops
// what another thread has just read. So a stop is told as EAGAIN, which ends this thread alone.
ssize_t wait_and_read(int device, void* buffer, size_t bytes, void* user) {
  auto& core = *static_cast<session_core*>(user);
  auto& channel = core.channel();
  pollfd sources[] = {{device, POLLIN, 0}, {channel.stop.get(), POLLIN, 0}};
  for (;;) {
    if (channel.stopped) {  // seen also while the kernel asks without end
      errno = EAGAIN;
      return -1;
    }
    const auto got = read(device, buffer, bytes);
    if (got >= 0) note_first(core, buffer, static_cast<std::size_t>(got));
    if (got >= 0) note_request({static_cast<const std::byte*>(buffer), static_cast<std::size_t>(got)});
    if (got >= 0) turn_unnamed_into_create(buffer, static_cast<std::size_t>(got));
    if (got >= 0) take_in_hand({static_cast<const std::byte*>(buffer), static_cast<std::size_t>(got)});
    if (got >= 0 || errno != EAGAIN) return got;
    if (poll(sources, std::size(sources), -1) < 0 && errno != EINTR) return -1;
  }
}

// The kernel has had its answer to a replayed message long ago.
ssize_t write_reply(int device, iovec* parts, int count, void* user) {
  const auto& channel = static_cast<session_core*>(user)->channel();
  if (!channel.replaying) {
    fuse_out_header header{};
    std::memcpy(&header, parts->iov_base, std::min(sizeof header, parts->iov_len));
    const bool init = channel.passthrough && header.unique == channel.init_unique;
    return init ? write_init_reply(device, parts, count) : writev(device, parts, count);
  }
  ssize_t bytes = 0;
  for (const auto& part : std::span(parts, static_cast<std::size_t>(count)))
    bytes += static_cast<ssize_t>(part.iov_len);
  return bytes;
}

/// As if it had been read from the device.
void process(::fuse_session* session, bytes_view message) {
  std::vector<std::byte> bytes(message.begin(), message.end());
  fuse_buf buffer{};
  buffer.size = bytes.size();
  buffer.mem = bytes.data();
  take_in_hand(bytes);
  fuse_session_process_buf(session, &buffer);
  take_in_hand({});
}

::fuse_session* new_session(session_core& core) {
  char program[] = "firstlight";
  char* arguments[] = {program, nullptr};
  fuse_args args = FUSE_ARGS_INIT(1, arguments);
  auto* const session = fuse_session_new(&args, &core.operations(), sizeof(fuse_lowlevel_ops), &core);
  fuse_opt_free_args(&args);  // of the copies that it has made of them
  return session;
}

}  // namespace

result<std::unique_ptr<fuse_mount_session>> fuse_mount_session::make(std::unique_ptr<session_core> core) {
  file_descriptor stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop) return tl::unexpected(from_errno(errno, "make an eventfd"));
  std::unique_ptr<fuse_mount_session> session(new fuse_mount_session(std::move(core)));
  session->core_->channel().stop = std::move(stop);
  return session;
}

result<std::unique_ptr<fuse_mount_session>> fuse_mount_session::start(
    std::unique_ptr<session_core> core, const std::filesystem::path& mount_point) {
  auto session = make(std::move(core));
  if (!session) return session;
  if (auto opened = (*session)->open(mount_point); !opened) return tl::unexpected(opened.error());
  return session;
}

result<std::unique_ptr<fuse_mount_session>> fuse_mount_session::take_over(std::unique_ptr<session_core> core,
                                                                          const kept_session& left) {
  auto session = make(std::move(core));
  if (!session) return session;
  if (auto going = (*session)->go_on(left); !going) return tl::unexpected(going.error());
  return session;
}

result<void> fuse_mount_session::open(const std::filesystem::path& mount_point) {
  auto device = open_at(AT_FDCWD, "/dev/fuse", O_RDWR | O_NONBLOCK);
  if (!device) return tl::unexpected(device.error());
  const int number = device->get();
  if (auto used = use(std::move(*device)); !used) return used;
  if (auto mounted = mount_fuse(number, core_->mounted_for(), mount_point); !mounted) return mounted;
  start_threads();
  return {};
}

result<void> fuse_mount_session::use(file_descriptor device) {
  session_ = new_session(*core_);
  if (session_ == nullptr) return fail(errc::io, "libfuse made no session; does the process have too many?");
  // The session owns the device as soon as it has taken it.
  const fuse_custom_io io{write_reply, wait_and_read, nullptr, nullptr};
  if (const int status = fuse_session_custom_io(session_, &io, device.get()); status != 0)
    return tl::unexpected(from_errno(-status, "hand /dev/fuse to libfuse"));
  core_->set_device(device.release());
  return {};
}

result<void> fuse_mount_session::go_on(const kept_session& left) {
  if (!offers_resend(left.init.bytes) && !left.unanswered)
    return fail(errc::unsupported, "this kernel does not repeat the requests of a dead process (Linux 6.9)");
  file_descriptor device(fcntl(left.device->get(), F_DUPFD_CLOEXEC, 0));
  if (!device) return tl::unexpected(from_errno(errno, "duplicate a kept /dev/fuse"));
  if (auto used = use(std::move(device)); !used) return used;
  auto& channel = core_->channel();
  channel.greeted = true;
  channel.init = left.init;
  note_passthrough(*core_, left.init.bytes);
  channel.replaying = true;
  process(session_, left.init.bytes);
  channel.replaying = false;
  if (auto going = take_waiting(left); !going) return going;
  start_threads();
  return {};
}

result<void> fuse_mount_session::take_waiting(const kept_session& left) {
  if (!left.unanswered) return have_kernel_repeat(fuse_session_fd(session_));
  const auto messages = split_messages(left.unanswered->bytes);
  if (!messages) return tl::unexpected(messages.error());
  if (messages->empty() || !std::ranges::equal(messages->front(), left.init.bytes))
    return fail(errc::corrupt, "what is told of the requests of an earlier process is of another session");
  for (const auto& message : std::span(*messages).subspan(1)) process(session_, message);
  return {};
}

fuse_mount_session::handover fuse_mount_session::what_to_keep() {
  auto& channel = core_->channel();
  const std::lock_guard lock(channel.init_mutex);
  const bool repeats = offers_resend(channel.init.bytes);
  const bool tells = !channel.init.bytes.empty() && core_->mounted_for() == session_core::access::read_only;
  return {fuse_session_fd(session_), channel.init, repeats, repeats || tells};
}

void fuse_mount_session::start_threads() {
  const auto threads = std::max(core_->loop_threads(), 1U);
  running_ = threads;
  for (std::uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { loop(); });
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
  if (--running_ == 0 && !stopping_) core_->ended();
}

bool fuse_mount_session::alive() const {
  pollfd device{fuse_session_fd(session_), 0, 0};
  return ::poll(&device, 1, 0) == 0;
}

std::vector<std::byte> fuse_mount_session::leave_behind() {
  left_behind_ = true;
  end_threads();
  const auto init = what_to_keep().init.bytes;
  std::vector<std::byte> messages(init.begin(), init.end());
  append_unanswered(messages, core_->leave_waiting());
  return messages;
}

void fuse_mount_session::end_threads() {
  stopping_ = true;
  core_->channel().stopped = true;
  const std::uint64_t one = 1;
  // An eventfd takes the first eight bytes that are written to it.
  [[maybe_unused]] const auto written = write(core_->channel().stop.get(), &one, sizeof one);
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

fuse_mount_session::~fuse_mount_session() {
  stopping_ = true;
  if (!left_behind_) core_->refuse_waiting();
  end_threads();
  if (session_ != nullptr) fuse_session_destroy(session_);
}

}  // namespace firstlight
