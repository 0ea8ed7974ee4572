#include "fuse_bridge/tracing/open_watch.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "schemas/toc_contents.hpp"

#ifndef FAN_MARK_EVICTABLE  // Linux 5.19; newer than Debian 12's headers
#define FAN_MARK_EVICTABLE 0x00000200
#endif

namespace firstlight {
namespace {

result<void> refused(const char* what) {
  const int number = errno;
  const auto code = number == ENOSYS || number == EPERM ? errc::unsupported
                    : number == EMFILE                  ? errc::limit_exceeded
                                                        : errc::io;
  return fail(code, std::string(what) + ": " + std::strerror(number));
}

/// The path of an open file as its mount shows it.
std::string path_of(int file) {
  std::array<char, 4096> path{};
  const auto link = "/proc/self/fd/" + std::to_string(file);
  const auto length = readlink(link.c_str(), path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string();
}

/// The same inside of the image. In a container the mount is the root.
std::string_view inside(std::string_view path, std::string_view target) {
  if (path.starts_with(target)) path.remove_prefix(target.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

/// A start opens many files at once: woken for each, this thread would take the program's time.
constexpr std::chrono::milliseconds batch_time{5};

bool poll_for(const file_descriptor& poller, int file) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = file;
  return epoll_ctl(poller.get(), EPOLL_CTL_ADD, file, &event) == 0;
}

/// Further opens of this file tell nothing new. The kernel may forget this when it needs memory.
void ignore_from_now_on(int group, int file) {
  fanotify_mark(group,
                FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY | FAN_MARK_EVICTABLE,
                FAN_OPEN, file, nullptr);
}

}  // namespace

open_watch::open_watch(file_descriptor poller, file_descriptor stop)
    : poller_(std::move(poller)), stop_(std::move(stop)), thread_([this] { run(); }) {}

result<std::unique_ptr<open_watch>> open_watch::start() {
  file_descriptor poller(epoll_create1(EPOLL_CLOEXEC));
  file_descriptor stop(eventfd(0, EFD_CLOEXEC));
  if (poller.get() < 0 || stop.get() < 0 || !poll_for(poller, stop.get()))
    return tl::unexpected(refused("epoll").error());
  return std::unique_ptr<open_watch>(new open_watch(std::move(poller), std::move(stop)));
}

open_watch::~open_watch() {
  const std::uint64_t one = 1;
  while (write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
  const std::lock_guard lock(state_->mutex);
  state_->mounts.clear();
}

result<void> open_watch::watch(const std::filesystem::path& target, std::shared_ptr<const toc_view> toc,
                               const std::shared_ptr<access_recorder>& recorder) {
  file_descriptor group(
      fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_LARGEFILE | O_CLOEXEC));
  if (group.get() < 0) return refused("fanotify");
  if (fanotify_mark(group.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, AT_FDCWD, target.c_str()) != 0)
    return refused("fanotify of the mount");
  const int number = group.get();
  {
    const std::lock_guard lock(state_->mutex);
    state_->mounts.emplace(number, watched{target.string(), std::move(toc), recorder, std::move(group)});
  }
  recorder->on_finish([state = state_, number] {  // closing a group drops what it holds of the mount
    const std::lock_guard lock(state->mutex);
    const auto mount = state->mounts.find(number);
    if (mount == state->mounts.end()) return;
    read_events(mount->second);  // what waits for the next batch
    state->mounts.erase(mount);
  });
  if (poll_for(poller_, number)) return {};
  const std::lock_guard lock(state_->mutex);
  state_->mounts.erase(number);
  return refused("epoll");
}

void open_watch::read_events(watched& from) {
  const auto recorder = from.recorder.lock();
  auto when = std::chrono::steady_clock::now();
  const auto self = getpid();
  alignas(fanotify_event_metadata) std::array<std::byte, 16'384> buffer{};
  for (;;) {
    auto left = static_cast<long>(read(from.group.get(), buffer.data(), buffer.size()));
    if (left <= 0) return;
    const auto* event = reinterpret_cast<const fanotify_event_metadata*>(buffer.data());
    for (; FAN_EVENT_OK(event, left); event = FAN_EVENT_NEXT(event, left)) {
      if (event->fd < 0) continue;  // the queue was full: some opens are missed
      const file_descriptor file(event->fd);
      if (!recorder || event->pid == self) continue;
      const auto path = path_of(file.get());
      const auto content = content_at(*from.toc, inside(path, from.target));
      if (!content || !*content) continue;  // new, or changed in type, or no file with bytes
      recorder->opened(**content, when);
      when += std::chrono::nanoseconds(1);  // of one batch the order is known, the times are not
      if (!from.seen.insert(**content).second) ignore_from_now_on(from.group.get(), file.get());
    }
  }
}

void open_watch::run() {
  for (;;) {
    std::array<epoll_event, 16> ready{};
    const int count = epoll_wait(poller_.get(), ready.data(), static_cast<int>(ready.size()), -1);
    if (count > 0 && ready[0].data.fd != stop_.get()) std::this_thread::sleep_for(batch_time);
    for (int i = 0; i < count; ++i) {
      const int number = ready.at(static_cast<std::size_t>(i)).data.fd;
      if (number == stop_.get()) return;
      const std::lock_guard lock(state_->mutex);
      const auto mount = state_->mounts.find(number);
      if (mount == state_->mounts.end()) continue;
      read_events(mount->second);
      if (mount->second.recorder.expired()) state_->mounts.erase(mount);
    }
  }
}

}  // namespace firstlight
