// g++ 12 takes the empty state of a promise of results for uninitialized memory.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include "actors/net/metrics_server.hpp"

#include <kj/compat/http.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>

#include "actors/errors.hpp"
#include "actors/metrics/metric_families.hpp"
#include "actors/net/kj_loop.hpp"
#include "actors/net/listening_socket.hpp"
#include "actors/net/rpc/acceptor.hpp"

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

kj::Promise<void> answer(kj::HttpService::Response& response, const kj::HttpHeaderTable& table,
                         const http_answer& what) {
  kj::HttpHeaders headers(table);
  headers.set(kj::HttpHeaderId::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
  auto body = kj::heapString(what.body.data(), what.body.size());
  auto out = response.send(what.code, what.code == 200 ? "OK" : "Error", headers, body.size());
  auto written = out->write(body.begin(), body.size());
  return written.attach(kj::mv(out), kj::mv(body));
}

result<int> listen_on_address(const std::string& address) {
  const auto socket = listen_on(address);
  if (!socket) return tl::unexpected(socket.error());
  return socket->descriptor;
}

/// Whatever is asked, it answers why that is refused.
class refusing_service final : public kj::HttpService {
 public:
  refusing_service(const kj::HttpHeaderTable& table, std::string why) : table_(table), why_(std::move(why)) {}

  kj::Promise<void> request(kj::HttpMethod, kj::StringPtr, const kj::HttpHeaders&, kj::AsyncInputStream&,
                            Response& response) override {
    return answer(response, table_, {403, why_ + "\n"});
  }

 private:
  const kj::HttpHeaderTable& table_;
  std::string why_;
};

}  // namespace

/// The HTTP server on the loop's thread.
class metrics_engine final : public kj::HttpService, private kj::TaskSet::ErrorHandler {
 public:
  metrics_engine(caf::actor_system& system, kj_loop& loop, metrics_options options, admin_service service)
      : system_(system), loop_(loop), options_(std::move(options)), service_(std::move(service)) {}

  /// Takes a listening UNIX socket over.
  void start_plain(int descriptor) {
    prepare();
    port_ = loop_.io().lowLevelProvider->wrapListenSocketFd(
        descriptor, kj::LowLevelAsyncIoProvider::TAKE_OWNERSHIP |
                        kj::LowLevelAsyncIoProvider::ALREADY_CLOEXEC |
                        kj::LowLevelAsyncIoProvider::ALREADY_NONBLOCK);
    tasks_->add(server_->listenHttp(*port_));
  }

  /// Takes a listening TCP socket over.
  void start_secured(int descriptor, std::shared_ptr<tls_identity> tls) {
    prepare();
    acceptor_ = kj::heap<acceptor>(loop_.io(), descriptor, std::move(tls),
                                   acceptor::options{options_.limits, "metrics"},
                                   [this](acceptor::accepted stream) { accepted(kj::mv(stream)); });
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
    return firstlight::answer(response, *headers_, what);
  }

  void prepare() {
    headers_ = kj::HttpHeaderTable::Builder().build();
    server_ = kj::heap<kj::HttpServer>(loop_.timer(), *headers_, *this);
    tasks_ = kj::heap<kj::TaskSet>(static_cast<kj::TaskSet::ErrorHandler&>(*this));
  }

  /// Why a certificate may not read metrics; empty: it may.
  [[nodiscard]] std::string refusal(const certificate_name& peer) const {
    if (peer.role != "monitor" && peer.role != "admin")
      return "metrics are for the certificates of monitors: 'firstlight pki issue monitor NAME' makes one";
    const auto name = peer.role + ":" + peer.name;
    const bool revoked = std::count(options_.revoked.begin(), options_.revoked.end(), name) > 0;
    return revoked ? "the certificate of " + name + " has been revoked" : "";
  }

  void accepted(acceptor::accepted connection) {
    if (open_ >= options_.limits.admin_connections_max) return;  // closed by dropping it
    ++open_;
    tasks_->add(serve(kj::mv(connection)).attach(kj::defer([this] { --open_; })));
  }

  kj::Promise<void> serve(acceptor::accepted connection) {
    const auto why = refusal(connection.peer);
    if (why.empty()) return server_->listenHttp(kj::mv(connection.stream));
    if (refusals_.pass()) spdlog::warn("metrics: refused {}: {}", connection.address, why);
    auto service = kj::heap<refusing_service>(*headers_, why);
    auto server = kj::heap<kj::HttpServer>(loop_.timer(), *headers_, *service);
    auto served = server->listenHttp(kj::mv(connection.stream));
    return served.attach(kj::mv(server)).attach(kj::mv(service));
  }

  void taskFailed(kj::Exception&& thrown) override {
    if (failures_.pass()) spdlog::warn("metrics: {}", thrown.getDescription().cStr());
  }

  caf::actor_system& system_;
  kj_loop& loop_;
  metrics_options options_;
  admin_service service_;
  log_limit refusals_;
  log_limit failures_;
  std::uint32_t open_ = 0;  // connections with TLS
  kj::Own<kj::HttpHeaderTable> headers_;
  kj::Own<kj::HttpServer> server_;
  kj::Own<kj::ConnectionReceiver> port_;
  kj::Own<kj::TaskSet> tasks_;  // its tasks refer to all the above
  kj::Own<acceptor> acceptor_;  // adds tasks
};

metrics_server::metrics_server(kj_loop& loop, const std::shared_ptr<metrics_engine>& work, std::string socket)
    : loop_(loop), engine_(work), socket_(std::move(socket)) {}

result<std::unique_ptr<metrics_server>> metrics_server::start(caf::actor_system& system, kj_loop& loop,
                                                              metrics_options options,
                                                              admin_service service) {
  const bool is_file = options.listen.starts_with('/');
  const auto file = is_file ? options.listen : std::string();
  std::shared_ptr<tls_identity> tls;
  if (!is_file) {
    auto loaded = tls_identity::load(options.tls);
    if (!loaded) return fail(loaded.error(), "metrics");
    tls = std::move(*loaded);
  }
  const auto descriptor = is_file ? listen_on_file(file) : listen_on_address(options.listen);
  if (!descriptor) return fail(descriptor.error(), "metrics");
  auto engine = std::make_shared<metrics_engine>(system, loop, std::move(options), std::move(service));
  auto started = loop.run([&loop, engine, taken = *descriptor, tls = std::move(tls)] {
    tls == nullptr ? engine->start_plain(taken) : engine->start_secured(taken, tls);
    loop.settle(engine);
  });
  if (!started) return fail(started.error(), "metrics");
  return std::unique_ptr<metrics_server>(new metrics_server(loop, engine, file));
}

metrics_server::~metrics_server() {
  if (!socket_.empty()) ::unlink(socket_.c_str());
  loop_.post([&loop = loop_, engine = engine_] {
    if (auto alive = engine.lock()) loop.evict(alive.get());
  });
}

}  // namespace firstlight
