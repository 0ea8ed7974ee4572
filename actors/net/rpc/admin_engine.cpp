#include "actors/net/rpc/admin_engine.hpp"

#include <kj/io.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

namespace firstlight {
namespace {

constexpr auto accept_retry = 100 * kj::MILLISECONDS;  // after a failed accept, e.g. out of descriptors

/// Why the other end of a UNIX socket may not use it, or empty.
std::string refusal(kj::AsyncIoStream& stream) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  KJ_IF_MAYBE (descriptor, stream.getFd())
    if (getsockopt(*descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 &&
        (credentials.uid == 0 || credentials.uid == geteuid()))
      return {};
  return "only root and the daemon's own user may use this socket";
}

}  // namespace

admin_engine::admin_engine(caf::actor_system& system, kj_loop& loop, admin_service service,
                           admin_socket_limits limits)
    : system_(system), loop_(loop), service_(std::move(service)), limits_(limits) {}

admin_engine::~admin_engine() {
  tasks_ = nullptr;
  for (const auto& [id, left] : clients_) caf::anon_send_exit(left.session, caf::exit_reason::user_shutdown);
}

void admin_engine::start(int descriptor) {
  port_ = loop_.io().lowLevelProvider->wrapListenSocketFd(kj::AutoCloseFd(descriptor));
  tasks_ = kj::heap<kj::TaskSet>(static_cast<kj::TaskSet::ErrorHandler&>(*this));
  tasks_->add(accept_next());
}

void admin_engine::taskFailed(kj::Exception&& thrown) {
  if (failures_.pass()) spdlog::warn("admin socket: {}", thrown.getDescription().cStr());
}

kj::Promise<void> admin_engine::accept_next() {
  return port_->accept().then(
      [this](kj::Own<kj::AsyncIoStream> stream) {
        accepted(kj::mv(stream));
        return accept_next();
      },
      [this](kj::Exception&& thrown) {
        taskFailed(kj::mv(thrown));
        return loop_.timer().afterDelay(accept_retry).then([this] { return accept_next(); });
      });
}

void admin_engine::accepted(kj::Own<kj::AsyncIoStream> stream) {
  if (clients_.size() >= limits_.connections_max) return;  // closed by dropping it
  const auto id = next_id_++;
  auto& added = clients_[id];
  added.refused = refusal(*stream);
  added.link = kj::heap<admin_connection>(kj::mv(stream), limits_.message_bytes_max);
  added.session = system_.spawn(make_console_session, service_, sink_of(id));
  tasks_->add(serve(added)
                  .exclusiveJoin(added.link->hung_up())
                  .catch_([](kj::Exception&&) {})  // it went away in the middle of a frame
                  .then([this, id, &added] {
                    caf::anon_send_exit(added.session, caf::exit_reason::user_shutdown);
                    clients_.erase(id);
                  }));
}

kj::Promise<void> admin_engine::serve(client& from) {
  return from.link->read_request().then([this, &from](result<shared_bytes> request) -> kj::Promise<void> {
    if (!request) return from.link->write(request.error());
    if (request->bytes.empty()) return kj::READY_NOW;
    if (!from.refused.empty()) return from.link->write({errc::denied, from.refused});
    caf::anon_send(from.session, console_request{std::move(*request)});
    return send_answers(from).then([this, &from] { return serve(from); });
  });
}

// One frame at a time: a slow terminal gets the newest progress, not a queue.
kj::Promise<void> admin_engine::send_answers(client& to) {
  auto progress = std::exchange(to.latest, std::nullopt);
  if (auto outcome = std::exchange(to.outcome, std::nullopt)) {
    if (!*outcome) return to.link->write(outcome->error());
    return to.link->write(admin_frame_kind::reply, std::move(**outcome));
  }
  if (progress)
    return to.link->write(admin_frame_kind::progress, std::move(*progress)).then([this, &to] {
      return send_answers(to);
    });
  auto woken = kj::newPromiseAndFulfiller<void>();
  to.wake = kj::mv(woken.fulfiller);
  return woken.promise.then([this, &to] { return send_answers(to); });
}

console_sink admin_engine::sink_of(client_id id) {
  const auto on_client = [loop = &loop_, engine = weak_from_this(), id](auto action) {
    loop->post([engine, id, action = std::move(action)]() mutable {
      const auto alive = engine.lock();
      if (!alive) return;
      if (const auto found = alive->clients_.find(id); found != alive->clients_.end())
        action(*alive, found->second);
    });
  };
  return {.progress =
              [on_client](const shared_bytes& what) {
                on_client([what](admin_engine&, client& to) {
                  to.latest = what;
                  wake(to);
                });
              },
          .answer =
              [on_client](const result<shared_bytes>& outcome) {
                on_client([outcome](admin_engine& engine, client& to) { engine.answer(to, outcome); });
              }};
}

void admin_engine::answer(client& to, result<shared_bytes> outcome) {
  if (outcome && outcome->bytes.size() > limits_.message_bytes_max)
    outcome = fail(errc::limit_exceeded, "the reply is larger than message_bytes_max of the admin socket");
  to.outcome = std::move(outcome);
  wake(to);
}

void admin_engine::wake(client& to) {
  if (auto sender = kj::mv(to.wake); sender.get() != nullptr) sender->fulfill();
}

}  // namespace firstlight
