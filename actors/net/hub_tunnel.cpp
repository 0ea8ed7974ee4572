#include "actors/net/hub_tunnel.hpp"

#include <kj/debug.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>

#include "actors/net/kj_loop.hpp"
#include "actors/net/rpc/errors.hpp"
#include "actors/net/rpc/relay_streams.hpp"
#include "actors/net/rpc/socket_options.hpp"
#include "actors/net/rpc/tls.hpp"
#include "storage/pki/certificate_authority.hpp"

namespace firstlight {

class hub_tunnel::work final : private kj::TaskSet::ErrorHandler {
 public:
  work(kj_loop& loop, hub_tunnel_options options, std::shared_ptr<tls_identity> tls)
      : loop_(loop), options_(std::move(options)), tls_(std::move(tls)), tasks_(*this) {}

  /// Says to `tried` how the first connection went; answers on the socket once it went well.
  void start(std::shared_ptr<std::promise<result<void>>> tried) {
    tasks_.add(
        dial()
            .then([this](kj::Own<kj::AsyncIoStream>) {
              return loop_.io().provider->getNetwork().parseAddress("unix:" + options_.socket.string());
            })
            .then([this, tried](kj::Own<kj::NetworkAddress> address) {
              port_ = address->listen();
              ::chmod(options_.socket.c_str(), 0600);
              tasks_.add(accept_next());
              tried->set_value({});
            })
            .catch_([tried](kj::Exception&& thrown) { tried->set_value(tl::unexpected(why(thrown))); }));
  }

 private:
  static error why(const kj::Exception& thrown) {
    auto problem = from_kj(thrown);
    if (thrown.getType() == kj::Exception::Type::OVERLOADED)
      return {errc::timed_out, "the hub does not answer; is its address right?"};
    return {problem.code == errc::io ? errc::unavailable : problem.code, problem.detail};
  }

  kj::Promise<kj::Own<kj::AsyncIoStream>> dial() {
    auto secured = loop_.io()
                       .provider->getNetwork()
                       .parseAddress(options_.address)
                       .then([](kj::Own<kj::NetworkAddress> address) {
                         auto connecting = address->connectAuthenticated();
                         return connecting.attach(kj::mv(address));
                       })
                       .then([this](kj::AuthenticatedStream stream) {
                         // Who waits for events says nothing: keepalive tells that the hub's machine is gone.
                         KJ_IF_MAYBE (descriptor, stream.stream->getFd())
                           prepare_link_socket(*descriptor, link_limits{});
                         return tls_->context().wrapClient(kj::mv(stream), hub_server_name);
                       });
    const auto limit = options_.connect_timeout.count() * kj::MILLISECONDS;
    return loop_.timer().timeoutAfter(limit, kj::mv(secured)).then([](kj::AuthenticatedStream stream) {
      if (peer_name(stream).role != "hub")
        kj::throwFatalException(to_kj({errc::denied, "the far side's certificate is not a hub's"}));
      return kj::mv(stream.stream);
    });
  }

  kj::Promise<void> accept_next() {
    return KJ_ASSERT_NONNULL(port_)->accept().then([this](kj::Own<kj::AsyncIoStream> local) {
      tasks_.add(dial().then([local = kj::mv(local)](kj::Own<kj::AsyncIoStream> far) mutable {
        return relay_streams(kj::mv(local), kj::mv(far));
      }));
      return accept_next();
    });
  }

  void taskFailed(kj::Exception&& thrown) override {
    spdlog::warn("the connection to {} ended: {}", options_.address, from_kj(thrown).detail);
  }

  kj_loop& loop_;
  hub_tunnel_options options_;
  std::shared_ptr<tls_identity> tls_;
  kj::Maybe<kj::Own<kj::ConnectionReceiver>> port_;
  kj::TaskSet tasks_;  // last: its tasks refer to all the above
};

result<std::unique_ptr<hub_tunnel>> hub_tunnel::open(kj_loop& loop, hub_tunnel_options options) {
  auto tls = tls_identity::load(options.tls);
  if (!tls) return tl::unexpected(tls.error());
  const auto socket = options.socket;
  auto resident = std::make_shared<work>(loop, std::move(options), std::move(*tls));
  auto tried = std::make_shared<std::promise<result<void>>>();
  auto answer = tried->get_future();
  auto started = loop.run([&loop, resident, tried] {
    loop.settle(resident);
    resident->start(tried);
  });
  if (!started) return tl::unexpected(started.error());
  std::unique_ptr<hub_tunnel> tunnel(new hub_tunnel(loop, resident, socket));
  resident.reset();  // it lives and dies on the loop
  if (auto reached = answer.get(); !reached) return tl::unexpected(reached.error());
  return tunnel;
}

hub_tunnel::hub_tunnel(kj_loop& loop, const std::shared_ptr<work>& resident, std::filesystem::path socket)
    : loop_(loop), work_(resident), socket_(std::move(socket)) {}

hub_tunnel::~hub_tunnel() {
  ::unlink(socket_.c_str());
  loop_.post([loop = &loop_, work = work_] {
    if (auto alive = work.lock()) loop->evict(alive.get());
  });
}

}  // namespace firstlight
