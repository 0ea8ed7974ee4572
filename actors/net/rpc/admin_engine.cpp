#include "actors/net/rpc/admin_engine.hpp"

#include <kj/io.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "actors/errors.hpp"
#include "actors/net/rpc/errors.hpp"

namespace firstlight {
namespace {

constexpr auto accept_retry = 100 * kj::MILLISECONDS;  // after a failed accept, e.g. out of descriptors

link_limits connection_limits(const admin_socket_limits& limits) {
  link_limits as_link;
  as_link.message_bytes_max = limits.message_bytes_max;
  as_link.node_message_bytes_max = limits.message_bytes_max;
  return as_link;
}

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

class admin_face final : public wire::Admin::Server {
 public:
  admin_face(admin_engine& engine, admin_engine::client_id client, std::string refused)
      : engine_(engine), client_(client), refused_(std::move(refused)) {}

  kj::Promise<void> call(CallContext context) override {
    if (!refused_.empty()) return to_kj({errc::denied, refused_});
    auto params = context.getParams();
    auto request = engine_.messages(client_).keep(params.getRequest());
    auto progress = params.getProgress();
    context.releaseParams();
    context.allowCancellation();
    return engine_.call(client_, std::move(request), kj::mv(progress))
        .then([this, context](shared_bytes reply) mutable {
          auto results = context.getResults();
          auto lent = engine_.messages(client_).lend(reply);
          results.adoptReply(capnp::Orphanage::getForMessageContaining(results).referenceExternalData(lent));
        });
  }

 private:
  admin_engine& engine_;  // outlives every connection
  admin_engine::client_id client_;
  std::string refused_;
};

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
  const auto reply = [self, context](result<shared_bytes> outcome) {
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
  auto served =
      connection::serve(kj::mv(stream), loop_.timer(), kj::heap<admin_face>(*this, id, std::move(refused)),
                        connection_limits(limits_));
  auto ending = served->ended().then([this, id] { ended(id); });
  clients_.emplace(id, kj::mv(served));
  tasks_->add(kj::mv(ending));
}

void admin_engine::ended(client_id id) {
  std::vector<call_id> gone;
  for (auto& [call, state] : calls_)
    if (state.client == id) gone.push_back(call);
  for (auto call : gone) forget(call);
  clients_.erase(id);
}

void admin_engine::forget(call_id id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  caf::anon_send_exit(found->second.worker, caf::exit_reason::user_shutdown);
  calls_.erase(found);
}

kj::Promise<shared_bytes> admin_engine::call(client_id from, shared_bytes request,
                                             wire::AdminProgress::Client progress) {
  const auto open =
      std::count_if(calls_.begin(), calls_.end(), [&](const auto& one) { return one.second.client == from; });
  if (static_cast<std::uint64_t>(open) >= limits_.calls_max)
    return to_kj({errc::busy, "too many calls at once"});
  const auto id = next_id_++;
  auto reply = kj::newPromiseAndFulfiller<shared_bytes>();
  auto worker = system_.spawn(call_actor, service_, admin_message{std::move(request)},
                              call_context{&loop_, weak_from_this(), id});
  calls_.insert_or_assign(
      id,
      open_call{
          from, kj::mv(reply.fulfiller), kj::mv(progress), caf::actor_cast<caf::actor>(worker), false, {}});
  return reply.promise.attach(kj::defer([engine = weak_from_this(), id] {
    if (auto alive = engine.lock()) alive->forget(id);
  }));
}

void admin_engine::answer(call_id id, result<shared_bytes> outcome) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  if (outcome && outcome->bytes.size() + sizeof(capnp::word) * 64 > limits_.message_bytes_max)
    outcome = fail(errc::limit_exceeded, "the reply is larger than message_bytes_max of the admin socket");
  auto reply = kj::mv(found->second.reply);
  calls_.erase(found);
  if (outcome)
    reply->fulfill(std::move(*outcome));
  else
    reply->reject(to_kj(outcome.error()));
}

void admin_engine::progress(call_id id, shared_bytes what) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  found->second.latest = std::move(what);
  tell(id);
}

// One at a time: a slow terminal gets the newest, not a queue.
void admin_engine::tell(call_id id) {
  const auto found = calls_.find(id);
  if (found == calls_.end() || found->second.telling || !found->second.latest) return;
  auto& call = found->second;
  auto request = call.sink.progressRequest();
  request.setMessage(
      {reinterpret_cast<const kj::byte*>(call.latest->bytes.data()), call.latest->bytes.size()});
  call.latest.reset();
  call.telling = true;
  tasks_->add(request.send().then(
      [this, id](auto&&) {
        if (const auto still = calls_.find(id); still != calls_.end()) still->second.telling = false;
        tell(id);
      },
      [](kj::Exception&&) {}));  // a client without interest in progress; its call goes on
}

}  // namespace firstlight
