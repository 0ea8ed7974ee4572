#include "fuse_bridge/tracing/open_watch.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "fuse_bridge/mount_table.hpp"
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
std::string_view inside(std::string_view path, const std::vector<std::string>& points) {
  for (const auto& point : points)
    if (path.starts_with(point) && path.substr(point.size()).starts_with('/')) {
      path.remove_prefix(point.size());
      break;
    }
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

/// A start opens many files at once: woken for each, this thread would take the program's time.
constexpr std::chrono::milliseconds batch_time{5};

bool poll_for(const file_descriptor& poller, int file, std::uint32_t events = EPOLLIN) {
  epoll_event event{};
  event.events = events;
  event.data.fd = file;
  return epoll_ctl(poller.get(), EPOLL_CTL_ADD, file, &event) == 0;
}

/// Without a limit to what waits for the next batch, where this process may ask for that.
file_descriptor new_group() {
  constexpr unsigned plain = FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK;
  constexpr unsigned files = O_RDONLY | O_LARGEFILE | O_CLOEXEC;
  file_descriptor group(fanotify_init(plain | FAN_UNLIMITED_QUEUE, files));
  if (group.get() < 0 && errno == EPERM) group = file_descriptor(fanotify_init(plain, files));
  return group;
}

bool note_opens(const file_descriptor& group, const std::string& point) {
  return fanotify_mark(group.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, AT_FDCWD, point.c_str()) ==
         0;
}

enum class marking { done, unmounted, refused };  ///< the last one: errno

/// Not if it has been unmounted meanwhile: below its folder is another file system, perhaps the machine's
/// own.
marking note_opens(const file_descriptor& group, const mount_entry& overlay) {
  const file_descriptor point(open(overlay.point.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat at {};
  if (point.get() < 0 || fstat(point.get(), &at) != 0) return marking::unmounted;
  if (overlay.device != std::to_string(major(at.st_dev)) + ":" + std::to_string(minor(at.st_dev)))
    return marking::unmounted;
  return fanotify_mark(group.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN, point.get(), ".") == 0
             ? marking::done
             : marking::refused;
}

/// Roots of containers that have this layer: what containerd mounts for itself, to look into it, is
/// read-only.
std::vector<mount_entry> overlays_above(const std::vector<mount_entry>& mounts, const std::string& layer) {
  std::vector<mount_entry> found;
  if (layer.empty()) return found;
  for (const auto& mount : mounts)
    if (mount.type == "overlay" && mount.options.starts_with("rw") && has_layer(mount.options, layer))
      found.push_back(mount);
  return found;
}

/// The kernel gives a device's number to the next file system at once; the options name one container's
/// folders.
std::string id_of(const mount_entry& overlay) {
  return overlay.device + " " + overlay.options;
}

/// Further opens of this file tell nothing new. The kernel may forget this when it needs memory.
void ignore_from_now_on(int group, int file) {
  fanotify_mark(group,
                FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY | FAN_MARK_EVICTABLE,
                FAN_OPEN, file, nullptr);
}

}  // namespace

open_watch::open_watch(std::shared_ptr<shared_state> state, file_descriptor stop, file_descriptor table)
    : state_(std::move(state)),
      stop_(std::move(stop)),
      table_(std::move(table)),
      thread_([this] { run(); }) {}

result<std::unique_ptr<open_watch>> open_watch::start() {
  auto state = std::make_shared<shared_state>();
  state->poller = file_descriptor(epoll_create1(EPOLL_CLOEXEC));
  file_descriptor stop(eventfd(0, EFD_CLOEXEC));
  file_descriptor table(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  if (state->poller.get() < 0 || stop.get() < 0 || table.get() < 0 || !poll_for(state->poller, stop.get()) ||
      !poll_for(state->poller, table.get(), EPOLLPRI))
    return tl::unexpected(refused("epoll").error());
  return std::unique_ptr<open_watch>(new open_watch(std::move(state), std::move(stop), std::move(table)));
}

open_watch::~open_watch() {
  const std::uint64_t one = 1;
  while (write(stop_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
  const std::lock_guard lock(state_->mutex);
  state_->ended = true;
  state_->mounts.clear();
}

void open_watch::watch(watched_mount mount, const std::shared_ptr<access_recorder>& recorder,
                       std::function<void(const error&)> refused) {
  const auto begin = [state = state_, mount = std::move(mount), refused = std::move(refused),
                      weak = std::weak_ptr(recorder)] {
    const auto living = weak.lock();
    if (!living) return;
    living->follow_opens();
    auto attached = attach(state, mount, living);
    if (attached) return;
    living->miss_opens();
    refused(attached.error());
  };
  recorder->on_begin(begin);
  if (recorder->active()) begin();
}

result<void> open_watch::attach(const std::shared_ptr<shared_state>& state, const watched_mount& mount,
                                const std::shared_ptr<access_recorder>& recorder) {
  auto group = new_group();
  if (group.get() < 0) return refused("fanotify");
  if (!note_opens(group, mount.target)) return refused("fanotify of the mount");
  const int number = group.get();
  watched made{mount, recorder, std::move(group)};
  made.points.push_back(mount.target);
  if (!mount.layer.empty()) {  // only then is the table worth the time that a mount waits for it
    const auto mounts = read_mount_table();
    if (!mounts) return tl::unexpected(mounts.error());
    for (const auto& older : overlays_above(*mounts, mount.layer))
      made.overlays.insert(id_of(older));  // other starts
  }
  {
    const std::lock_guard lock(state->mutex);
    if (state->ended) return {};
    if (!poll_for(state->poller, number)) return refused("epoll");
    state->mounts.emplace(number, std::move(made));
  }
  // Closing a group drops what it holds of the mount.
  recorder->on_finish([state, number] { detach(*state, number); });
  if (!recorder->active()) detach(*state, number);  // it has finished meanwhile
  return {};
}

void open_watch::detach(shared_state& state, int group) {
  const std::lock_guard lock(state.mutex);
  const auto mount = state.mounts.find(group);
  if (mount == state.mounts.end()) return;
  read_events(mount->second);  // what waits for the next batch
  state.mounts.erase(mount);
}

/// One that cannot be watched has ended already.
void open_watch::find_overlays(shared_state& state) {
  {
    const std::lock_guard lock(state.mutex);
    const bool wanted = std::any_of(state.mounts.begin(), state.mounts.end(),
                                    [](const auto& one) { return !one.second.mount.layer.empty(); });
    if (!wanted) return;  // mounts come and go on a busy machine
  }
  const auto mounts = read_mount_table();
  if (!mounts) return;  // the next change tells
  const std::lock_guard lock(state.mutex);
  for (auto& [number, watched] : state.mounts) {
    std::set<std::string> now;
    for (const auto& overlay : overlays_above(*mounts, watched.mount.layer)) {
      if (!now.insert(id_of(overlay)).second || watched.overlays.contains(id_of(overlay))) continue;
      const auto marked = note_opens(watched.group, overlay);
      if (marked == marking::done) watched.points.push_back(overlay.point);
      if (marked == marking::refused) note_missed(watched, std::strerror(errno));
    }
    watched.overlays = std::move(now);
  }
}

void open_watch::note_missed(watched& from, const char* why) {
  if (const auto recorder = from.recorder.lock()) recorder->miss_opens();
  if (std::exchange(from.missed, true)) return;
  spdlog::warn("some opens on {} are not recorded: {}", from.mount.target.string(), why);
}

void open_watch::read_events(watched& from) {
  const auto recorder = from.recorder.lock();
  auto when = std::chrono::steady_clock::now();
  const auto self = getpid();
  alignas(fanotify_event_metadata) std::array<std::byte, 16'384> buffer{};
  for (;;) {
    auto left = static_cast<long>(read(from.group.get(), buffer.data(), buffer.size()));
    if (left < 0 && errno != EAGAIN && errno != EINTR) note_missed(from, std::strerror(errno));
    if (left <= 0) return;
    const auto* event = reinterpret_cast<const fanotify_event_metadata*>(buffer.data());
    for (; FAN_EVENT_OK(event, left); event = FAN_EVENT_NEXT(event, left)) {
      if ((event->mask & FAN_Q_OVERFLOW) != 0) note_missed(from, "more came than the kernel keeps");
      if (event->fd < 0) continue;
      const file_descriptor file(event->fd);
      if (!recorder || event->pid == self) continue;
      const auto path = path_of(file.get());
      const auto content = content_at(*from.mount.toc, inside(path, from.points));
      if (!content || !*content) {  // new, or changed in type, or no file with bytes
        ignore_from_now_on(from.group.get(), file.get());
        continue;
      }
      recorder->opened(**content, when);
      when += std::chrono::nanoseconds(1);  // of one batch the order is known, the times are not
      if (!from.seen.insert(**content).second) ignore_from_now_on(from.group.get(), file.get());
    }
  }
}

void open_watch::run() {
  for (;;) {
    std::array<epoll_event, 16> ready{};
    const int count = epoll_wait(state_->poller.get(), ready.data(), static_cast<int>(ready.size()), -1);
    if (count > 0 && ready[0].data.fd != stop_.get() && ready[0].data.fd != table_.get())
      std::this_thread::sleep_for(batch_time);
    for (int i = 0; i < count; ++i) {
      const int number = ready.at(static_cast<std::size_t>(i)).data.fd;
      if (number == stop_.get()) return;
      if (number == table_.get()) {
        find_overlays(*state_);
        continue;
      }
      const std::lock_guard lock(state_->mutex);
      const auto mount = state_->mounts.find(number);
      if (mount == state_->mounts.end()) continue;
      read_events(mount->second);
      if (mount->second.recorder.expired()) state_->mounts.erase(mount);
    }
  }
}

}  // namespace firstlight
