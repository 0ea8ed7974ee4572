// g++ 12 takes the empty state of a promise of results for uninitialized memory.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include "actors/net/metrics_server.hpp"

#include <kj/compat/http.h>
#include <spdlog/spdlog.h>

#include "actors/errors.hpp"
#include "actors/metrics/metric_families.hpp"
#include "actors/net/kj_loop.hpp"
#include "actors/net/listening_socket.hpp"

namespace firstlight {
namespace {

constexpr std::chrono::seconds answer_limit{5};

using reply_fulfiller = kj::CrossThreadPromiseFulfiller<result<admin_reply>>;

progress_listener::behavior_type ignore_progress(progress_listener::pointer) {
  return {[](const admin_message&) {}};
}

/// Asks the daemon for its status and fulfils the promise with what it says.
void ask_status(caf::event_based_actor* self, const admin_service& service, const admin_request& request,
                std::shared_ptr<kj::Own<reply_fulfiller>> into) {
  const auto listener = self->spawn(ignore_progress);
  const auto done = [self, into, listener](result<admin_reply> reply) {
    (*into)->fulfill(std::move(reply));
    self->send_exit(listener, caf::exit_reason::normal);
    self->quit();
  };
  self->request(service, answer_limit, admin_message{encode(request)}, listener)
      .then([done](const admin_message& reply) { done(decode_admin_reply(reply.bytes.bytes)); },
            [done](const caf::error& problem) { done(tl::unexpected(from_caf(problem))); });
}

struct http_answer {
  kj::uint code = 200;
  std::string body;
};

http_answer metrics_of(const admin_reply& reply) {
  if (const auto* node = std::get_if<admin_node_status>(&reply)) return {200, metrics_text(*node)};
  return {200, metrics_text(std::get<admin_hub_status>(reply))};
}

http_answer readiness_of(const admin_reply& reply) {
  const auto* node = std::get_if<admin_node_status>(&reply);
  if (node == nullptr || node->link.state == "up") return {200, "ready\n"};
  return {503, "no link to the hub: " + node->link.last_error + "\n"};
}

}  // namespace

/// The HTTP server on the loop's thread.
class metrics_engine final : public kj::HttpService, private kj::TaskSet::ErrorHandler {
 public:
  metrics_engine(caf::actor_system& system, kj_loop& loop, admin_service service)
      : system_(system), loop_(loop), service_(std::move(service)) {}

  /// Takes the listening socket over.
  void start(int descriptor) {
    headers_ = kj::HttpHeaderTable::Builder().build();
    server_ = kj::heap<kj::HttpServer>(loop_.timer(), *headers_, *this);
    tasks_ = kj::heap<kj::TaskSet>(static_cast<kj::TaskSet::ErrorHandler&>(*this));
    port_ = loop_.io().lowLevelProvider->wrapListenSocketFd(
        descriptor, kj::LowLevelAsyncIoProvider::TAKE_OWNERSHIP |
                        kj::LowLevelAsyncIoProvider::ALREADY_CLOEXEC |
                        kj::LowLevelAsyncIoProvider::ALREADY_NONBLOCK);
    tasks_->add(server_->listenHttp(*port_));
  }

  kj::Promise<void> request(kj::HttpMethod method, kj::StringPtr url, const kj::HttpHeaders&,
                            kj::AsyncInputStream&, Response& response) override {
    if (method != kj::HttpMethod::GET && method != kj::HttpMethod::HEAD)
      return answer(response, {405, "only GET\n"});
    if (url == "/metrics") return answer_with(response, metrics_of);
    if (url == "/readyz") return answer_with(response, readiness_of);
    if (url == "/healthz")
      return answer_with(response, [](const admin_reply&) { return http_answer{200, "ok\n"}; });
    return answer(response, {404, "there are /metrics, /healthz and /readyz\n"});
  }

 private:
  template <class Make>
  kj::Promise<void> answer_with(Response& response, Make make) {
    // Only one of the two is known to a daemon: the other answers `unsupported`.
    return ask(admin_node_status_request{})
        .then([this](result<admin_reply> reply) -> kj::Promise<result<admin_reply>> {
          if (!reply && reply.error().code == errc::unsupported) return ask(admin_hub_status_request{});
          return kj::mv(reply);
        })
        .then([this, &response, make](result<admin_reply> reply) {
          return answer(response, reply ? make(*reply) : http_answer{503, to_string(reply.error()) + "\n"});
        });
  }

  kj::Promise<result<admin_reply>> ask(const admin_request& request) {
    auto reply = kj::newPromiseAndCrossThreadFulfiller<result<admin_reply>>();
    auto into = std::make_shared<kj::Own<reply_fulfiller>>(kj::mv(reply.fulfiller));
    system_.spawn(ask_status, service_, request, std::move(into));
    return kj::mv(reply.promise);
  }

  kj::Promise<void> answer(Response& response, const http_answer& what) {
    kj::HttpHeaders headers(*headers_);
    headers.set(kj::HttpHeaderId::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    auto body = kj::heapString(what.body.data(), what.body.size());
    auto out = response.send(what.code, what.code == 200 ? "OK" : "Error", headers, body.size());
    auto written = out->write(body.begin(), body.size());
    return written.attach(kj::mv(out), kj::mv(body));
  }

  void taskFailed(kj::Exception&& thrown) override {
    spdlog::warn("metrics: {}", thrown.getDescription().cStr());
  }

  caf::actor_system& system_;
  kj_loop& loop_;
  admin_service service_;
  kj::Own<kj::HttpHeaderTable> headers_;
  kj::Own<kj::HttpServer> server_;
  kj::Own<kj::ConnectionReceiver> port_;
  kj::Own<kj::TaskSet> tasks_;  // last: its tasks refer to all the above
};

metrics_server::metrics_server(kj_loop& loop, const std::shared_ptr<metrics_engine>& work, std::uint16_t port)
    : loop_(loop), engine_(work), port_(port) {}

result<std::unique_ptr<metrics_server>> metrics_server::start(caf::actor_system& system, kj_loop& loop,
                                                              const host_and_port& where,
                                                              admin_service service) {
  const auto socket = listen_on(where.host, where.port);
  if (!socket) return fail(socket.error(), "metrics");
  auto engine = std::make_shared<metrics_engine>(system, loop, std::move(service));
  auto started = loop.run([&loop, engine, descriptor = socket->descriptor] {
    engine->start(descriptor);
    loop.settle(engine);
  });
  if (!started) return fail(started.error(), "metrics");
  return std::unique_ptr<metrics_server>(new metrics_server(loop, engine, socket->port));
}

metrics_server::~metrics_server() {
  loop_.post([&loop = loop_, engine = engine_] {
    if (auto alive = engine.lock()) loop.evict(alive.get());
  });
}

}  // namespace firstlight
