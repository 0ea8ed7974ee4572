#include "fuse_bridge/mount_keeper.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/time.h>

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

result<std::shared_ptr<mount_keeper>> mount_keeper::open(const std::filesystem::path& socket,
                                                         const keeper_limits& limits, const starter& start) {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    auto connected = connect_or_start(socket, start);
    if (!connected) return tl::unexpected(connected.error());
    if (auto limited = limit_waiting(connected->get(), limits.answer_timeout); !limited)
      return tl::unexpected(limited.error());
    std::shared_ptr<mount_keeper> keeper(
        new mount_keeper({std::move(*connected), limits.message_bytes_max}, limits));
    const auto listed = keeper->list();
    if (!listed) return fail(listed.error(), "the keeper at " + socket.string());
    if (*listed) return keeper;  // else it was just about to end, or serves another
  }
  return fail(errc::busy, "another node uses " + socket.parent_path().string() +
                              "; stop it or choose another run_folder");
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

void mount_keeper::keep(const std::string& name, const shared_bytes& record, const shared_bytes& init,
                        int device) {
  const std::lock_guard lock(mutex_);
  if (const auto sent = socket_.send(keeper_keep{{name, init, record}}, device); !sent)
    spdlog::error("mount {} will end with this process, should it crash: {}", name, to_string(sent.error()));
}

void mount_keeper::drop(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto sent = socket_.send(keeper_drop{name});
  if (!sent && sent.error().code != errc::unavailable) spdlog::error("{}", to_string(sent.error()));
}

mount_keeper::~mount_keeper() {
  // It sees the end of what is sent, and closes its side at its own end, if that has come.
  ::shutdown(socket_.get(), SHUT_WR);
  pollfd far_side{socket_.get(), POLLIN, 0};
  ::poll(&far_side, 1, static_cast<int>(limits_.answer_timeout.count()));
}

}  // namespace firstlight
