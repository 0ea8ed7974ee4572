#include "fuse_bridge/mount_keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>

namespace firstlight {
namespace {

constexpr int attempts_max = 3;

result<file_descriptor> connect_or_start(const std::filesystem::path& path,
                                         const mount_keeper::starter& start) {
  auto connected = connect_to_keeper(path);
  if (connected || connected.error().code != errc::not_found) return connected;
  auto listener = listen_for_nodes(path);
  if (!listener) return listener;
  // Before the keeper runs: it is never without a node.
  connected = connect_to_keeper(path);
  if (!connected) return connected;
  if (auto started = start(listener->get()); !started) return fail(started.error(), "start the keeper");
  return connected;
}

result<void> limit_waiting(int socket, std::chrono::milliseconds limit) {
  timeval time{};
  time.tv_sec = limit.count() / 1000;
  time.tv_usec = limit.count() % 1000 * 1000;
  if (setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0 &&
      setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) == 0)
    return {};
  return tl::unexpected(from_errno(errno, "set up the connection to the keeper"));
}

}  // namespace

result<keeper_socket> mount_keeper::connect(const std::filesystem::path& path, const keeper_limits& limits,
                                            const starter& start) {
  auto connected = connect_or_start(path, start);
  if (!connected) return tl::unexpected(connected.error());
  if (auto limited = limit_waiting(connected->get(), limits.answer_timeout); !limited)
    return tl::unexpected(limited.error());
  return keeper_socket(std::move(*connected), limits.message_bytes_max);
}

result<std::shared_ptr<mount_keeper>> mount_keeper::open(const std::filesystem::path& socket,
                                                         const keeper_limits& limits, const starter& start) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto connected = connect(socket, limits, start);
    if (!connected) return tl::unexpected(connected.error());
    std::shared_ptr<mount_keeper> keeper(new mount_keeper(std::move(*connected), socket, limits, start));
    keeper->stop_ = file_descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!keeper->stop_) return tl::unexpected(from_errno(errno, "make an eventfd"));
    const auto listed = keeper->list();
    if (!listed) return fail(listed.error(), "the keeper at " + socket.string());
    if (!*listed) continue;  // it was just about to end, or serves another
    keeper->watcher_ = std::jthread([raw = keeper.get()](const std::stop_token& stop) { raw->watch(stop); });
    return keeper;
  }
  return fail(errc::busy, "another node uses " + socket.parent_path().string() +
                              "; stop it or choose another run_folder");
}

// The keeper says nothing unless it is asked: what can be read is its end.
void mount_keeper::watch(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "keeper");
  int wait = -1;
  while (!stop.stop_requested()) {
    pollfd sources[] = {{stop_.get(), POLLIN, 0}, {wait < 0 ? socket_.get() : -1, POLLIN, 0}};
    const auto ready = ::poll(sources, std::size(sources), wait);
    if (ready < 0 && errno == EINTR) continue;
    if (stop.stop_requested()) return;
    const std::lock_guard lock(mutex_);
    const auto replaced = replace();
    wait = replaced ? -1 : static_cast<int>(limits_.restart_interval.count());
    if (!replaced && problem_.empty())
      spdlog::error("the keeper has ended and cannot be replaced: {}", to_string(replaced.error()));
    problem_ = replaced ? "" : "mounts would not outlive a crash: " + replaced.error().detail;
  }
}

result<void> mount_keeper::replace() {
  auto connected = connect(path_, limits_, start_);
  if (!connected) return tl::unexpected(connected.error());
  socket_ = std::move(*connected);
  for (const auto& [name, mount] : held_)
    if (auto sent = socket_.send(keeper_keep{{name, mount.init, mount.record}}, mount.device.get()); !sent)
      return sent;
  spdlog::warn("the keeper had ended; another one holds {} mounts now", held_.size());
  return {};
}

std::string mount_keeper::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

result<bool> mount_keeper::list() {
  if (const auto asked = socket_.send(keeper_list{}); !asked) {
    if (asked.error().code == errc::unavailable) return false;
    return tl::unexpected(asked.error());
  }
  for (;;) {
    auto received = socket_.receive();
    if (!received) return tl::unexpected(received.error());
    if (!*received) return false;
    if (std::holds_alternative<keeper_end>((*received)->message)) return true;
    auto* kept = std::get_if<keeper_kept>(&(*received)->message);
    if (kept == nullptr || !(*received)->descriptor)
      return fail(errc::protocol, "it answers something else than asked");
    kept_session session{std::make_shared<const file_descriptor>(std::move((*received)->descriptor)),
                         kept->entry.init};
    if (kept->entry.name == kept_contents_name) {
      kept_contents_ = std::move(session);
      continue;
    }
    auto record = decode_mount_record(kept->entry.record.bytes);
    if (!record) {
      spdlog::error("mount {} of an earlier process cannot go on: {}", kept->entry.name,
                    to_string(record.error()));
      drop(kept->entry.name);
      continue;
    }
    kept_.push_back({kept->entry.name, std::move(*record), std::move(session)});
  }
}

result<void> mount_keeper::keep(const std::string& name, const shared_bytes& record, const shared_bytes& init,
                                int device) {
  const std::lock_guard lock(mutex_);
  auto kept = hold(name, record, init, device);
  if (!kept)
    spdlog::error("mount {} will end with this process, should it crash: {}", name, to_string(kept.error()));
  return kept;
}

result<void> mount_keeper::hold(const std::string& name, const shared_bytes& record, const shared_bytes& init,
                                int device) {
  if (held_.size() >= limits_.kept_mounts_max && !held_.contains(name))
    return fail(errc::limit_exceeded, "keeper.kept_mounts_max mounts are kept already");
  file_descriptor copy(fcntl(device, F_DUPFD_CLOEXEC, 0));
  if (!copy) return tl::unexpected(from_errno(errno, "duplicate its descriptor"));
  held_.insert_or_assign(name, held_mount{std::move(copy), init, record});
  auto sent = socket_.send(keeper_keep{{name, init, record}}, device);
  // If it has just ended the watcher hands this over to the next one.
  return sent || sent.error().code == errc::unavailable ? result<void>() : sent;
}

void mount_keeper::drop(const std::string& name) {
  const std::lock_guard lock(mutex_);
  held_.erase(name);
  const auto sent = socket_.send(keeper_drop{name});
  if (!sent && sent.error().code != errc::unavailable) spdlog::error("{}", to_string(sent.error()));
}

mount_keeper::~mount_keeper() {
  watcher_.request_stop();
  const std::uint64_t one = 1;
  // An eventfd takes the first eight bytes that are written to it.
  [[maybe_unused]] const auto written = ::write(stop_.get(), &one, sizeof one);
  if (watcher_.joinable()) watcher_.join();
  // It sees the end of what is sent, and closes its side at its own end, if that has come.
  ::shutdown(socket_.get(), SHUT_WR);
  pollfd far_side{socket_.get(), POLLIN, 0};
  ::poll(&far_side, 1, static_cast<int>(limits_.answer_timeout.count()));
}

}  // namespace firstlight
