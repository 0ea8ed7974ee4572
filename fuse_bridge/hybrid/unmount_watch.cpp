#include "fuse_bridge/hybrid/unmount_watch.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace firstlight {

result<std::shared_ptr<unmount_watch>> unmount_watch::make() {
  file_descriptor events(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!events) return tl::unexpected(from_errno(errno, "watch mounts by inotify"));
  file_descriptor stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop) return tl::unexpected(from_errno(errno, "make an eventfd"));
  return std::shared_ptr<unmount_watch>(new unmount_watch(std::move(events), std::move(stop)));
}

unmount_watch::unmount_watch(file_descriptor events, file_descriptor stop)
    : events_(std::move(events)), stop_(std::move(stop)), thread_([this] { run(); }) {}

result<void> unmount_watch::watch(const std::filesystem::path& folder, std::function<void()> gone) {
  const std::lock_guard lock(mutex_);
  // IN_UNMOUNT always comes; the kernel wants some event to be named.
  const int number = inotify_add_watch(events_.get(), folder.c_str(), IN_DELETE_SELF | IN_ONLYDIR);
  if (number < 0) return tl::unexpected(from_errno(errno, "watch " + folder.string() + " by inotify"));
  told_[number] = std::move(gone);
  return {};
}

void unmount_watch::run() {
  pthread_setname_np(pthread_self(), "unmount-watch");
  pollfd sources[] = {{events_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
  for (;;) {
    if (poll(sources, std::size(sources), -1) < 0 && errno != EINTR) return;
    if (sources[1].revents != 0) return;
    if (sources[0].revents != 0) read_events();
  }
}

void unmount_watch::read_events() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  const auto got = read(events_.get(), buffer.data(), buffer.size());
  for (ssize_t at = 0; at < got;) {
    inotify_event event{};
    std::memcpy(&event, buffer.data() + at, sizeof event);
    at += static_cast<ssize_t>(sizeof event + event.len);
    if ((event.mask & IN_IGNORED) == 0) continue;  // the last one of each watch
    std::function<void()> gone;
    {
      const std::lock_guard lock(mutex_);
      if (auto known = told_.extract(event.wd)) gone = std::move(known.mapped());
    }
    if (gone) gone();
  }
}

unmount_watch::~unmount_watch() {
  const std::uint64_t one = 1;
  // An eventfd takes the first eight bytes that are written to it.
  [[maybe_unused]] const auto written = write(stop_.get(), &one, sizeof one);
  thread_.join();
}

}  // namespace firstlight
