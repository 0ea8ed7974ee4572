#include "actors/net/rpc/admin_engine.hpp"

#include <kj/io.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include "actors/errors.hpp"

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

// One call: it is the progress listener that the service talks to, and it ends with the answer or the client.
struct call_context {
  kj_loop* loop;
  std::weak_ptr<admin_engine> engine;
  admin_engine::call_id id;

  template <class Action>
  void on_engine(Action action) const {
    loop->post([engine = engine, action = std::move(action)]() mutable {
      if (auto alive = engine.lock()) action(*alive);
    });
  }
};

progress_listener::behavior_type call_actor(progress_listener::pointer self, const admin_service& service,
                                            const admin_message& request, const call_context& context) {
  const auto reply = [self, context](const result<shared_bytes>& outcome) {
    context.on_engine([id = context.id, outcome](admin_engine& engine) { engine.answer(id, outcome); });
    self->quit();
  };
  // No time limit: a pull takes what it takes; the client can go away.
  self->request(service, caf::infinite, request, caf::actor_cast<progress_listener>(self))
      .then([reply](const admin_message& answer) { reply(answer.bytes); },
            [reply](const caf::error& failure) { reply(tl::unexpected(from_caf(failure))); });
  return {[context](const admin_message& what) {
    context.on_engine(
        [id = context.id, bytes = what.bytes](admin_engine& engine) { engine.progress(id, bytes); });
  }};
}

}  // namespace

admin_engine::admin_engine(caf::actor_system& system, kj_loop& loop, admin_service service,
                           admin_socket_limits limits)
    : system_(system), loop_(loop), service_(std::move(service)), limits_(limits) {}

admin_engine::~admin_engine() {
  tasks_ = nullptr;
  for (auto& [id, call] : calls_) caf::anon_send_exit(call.worker, caf::exit_reason::user_shutdown);
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
  auto refused = refusal(*stream);
  auto link = kj::heap<admin_connection>(kj::mv(stream), limits_.message_bytes_max);
  auto& added = clients_.emplace(id, client{kj::mv(link), std::move(refused)}).first->second;
  tasks_->add(serve(added)
                  .exclusiveJoin(added.link->hung_up())
                  .catch_([](kj::Exception&&) {})  // it went away in the middle of a frame
                  .then([this, id] { clients_.erase(id); }));
}

kj::Promise<void> admin_engine::serve(client& from) {
  return from.link->read_request().then([this, &from](result<shared_bytes> request) -> kj::Promise<void> {
    if (!request) return from.link->write(request.error());
    if (request->bytes.empty()) return kj::READY_NOW;
    if (!from.refused.empty()) return from.link->write({errc::denied, from.refused});
    return call(from, std::move(*request)).then([this, &from] { return serve(from); });
  });
}

kj::Promise<void> admin_engine::call(client& from, shared_bytes request) {
  const auto id = next_id_++;
  auto worker = system_.spawn(call_actor, service_, admin_message{std::move(request)},
                              call_context{&loop_, weak_from_this(), id});
  calls_.emplace(id, open_call{.link = from.link.get(), .worker = caf::actor_cast<caf::actor>(worker)});
  return send_answers(id).attach(kj::defer([engine = weak_from_this(), id] {
    if (auto alive = engine.lock()) alive->forget(id);
  }));
}

// One frame at a time: a slow terminal gets the newest progress, not a queue.
kj::Promise<void> admin_engine::send_answers(call_id id) {
  auto& call = calls_.at(id);
  if (call.outcome) {
    if (!*call.outcome) return call.link->write(call.outcome->error());
    return call.link->write(admin_frame_kind::reply, std::move(**call.outcome));
  }
  if (call.latest) {
    auto progress = std::exchange(call.latest, std::nullopt);
    return call.link->write(admin_frame_kind::progress, std::move(*progress)).then([this, id] {
      return send_answers(id);
    });
  }
  auto woken = kj::newPromiseAndFulfiller<void>();
  call.wake = kj::mv(woken.fulfiller);
  return woken.promise.then([this, id] { return send_answers(id); });
}

void admin_engine::wake(open_call& call) {
  if (auto sender = kj::mv(call.wake); sender.get() != nullptr) sender->fulfill();
}

void admin_engine::forget(call_id id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  caf::anon_send_exit(found->second.worker, caf::exit_reason::user_shutdown);
  calls_.erase(found);
}

void admin_engine::answer(call_id id, result<shared_bytes> outcome) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  if (outcome && outcome->bytes.size() > limits_.message_bytes_max)
    outcome = fail(errc::limit_exceeded, "the reply is larger than message_bytes_max of the admin socket");
  found->second.outcome = std::move(outcome);
  wake(found->second);
}

void admin_engine::progress(call_id id, shared_bytes what) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  found->second.latest = std::move(what);
  wake(found->second);
}

}  // namespace firstlight
