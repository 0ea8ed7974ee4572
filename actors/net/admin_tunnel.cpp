#include "actors/net/admin_tunnel.hpp"

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

namespace firstlight {

class admin_tunnel::work final : private kj::TaskSet::ErrorHandler {
 public:
  work(kj_loop& loop, admin_tunnel_options options, std::shared_ptr<tls_identity> tls)
      : loop_(loop), options_(std::move(options)), tls_(std::move(tls)), tasks_(*this) {}

  /// Says to `tried` how the first connection went; answers on the socket once it went well.
  void start(const std::shared_ptr<std::promise<result<void>>>& tried) {
    tasks_.add(dial()
                   .then([this](kj::Own<kj::AsyncIoStream>) {
                     return loop_.io().provider->getNetwork().parseAddress("unix:" +
                                                                           options_.socket.string());
                   })
                   .then([this, tried](kj::Own<kj::NetworkAddress> address) {
                     port_ = address->listen();
                     ::chmod(options_.socket.c_str(), 0600);
                     tasks_.add(accept_next());
                     tried->set_value({});
                   })
                   .catch_([this, tried](kj::Exception&& thrown) {
                     tried->set_value(tl::unexpected(why(thrown)));
                   }));
  }

 private:
  [[nodiscard]] std::string role() const { return std::string(to_string(options_.far_side)); }

  [[nodiscard]] error why(const kj::Exception& thrown) const {
    auto problem = from_kj(thrown);
    if (thrown.getType() == kj::Exception::Type::OVERLOADED)
      return {errc::timed_out, "the " + role() + " does not answer; is its address right?"};
    // A certificate that has not the name asked for looks like any other that is not trusted.
    if (problem.code == errc::denied)
      return {errc::denied,
              problem.detail + "; is " + options_.address + " the address of a " + role() + "?"};
    return {problem.code == errc::io ? errc::unavailable : problem.code, problem.detail};
  }

  [[nodiscard]] const char* server_name() const {
    return options_.far_side == pki_role::hub ? hub_server_name : node_server_name;
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
                         // Who waits for events says nothing: keepalive tells that the far machine is gone.
                         KJ_IF_MAYBE (descriptor, stream.stream->getFd())
                           prepare_link_socket(*descriptor, link_limits{});
                         return tls_->context().wrapClient(kj::mv(stream), server_name());
                       });
    const auto limit = options_.connect_timeout.count() * kj::MILLISECONDS;
    return loop_.timer().timeoutAfter(limit, kj::mv(secured)).then([this](kj::AuthenticatedStream stream) {
      if (peer_name(stream).role != role())
        kj::throwFatalException(
            to_kj({errc::denied, "the far side's certificate is not a " + role() + "'s"}));
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
  admin_tunnel_options options_;
  std::shared_ptr<tls_identity> tls_;
  kj::Maybe<kj::Own<kj::ConnectionReceiver>> port_;
  kj::TaskSet tasks_;  // last: its tasks refer to all the above
};

result<std::unique_ptr<admin_tunnel>> admin_tunnel::open(kj_loop& loop, admin_tunnel_options options) {
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
  std::unique_ptr<admin_tunnel> tunnel(new admin_tunnel(loop, resident, socket));
  resident.reset();  // it lives and dies on the loop
  if (auto reached = answer.get(); !reached) return tl::unexpected(reached.error());
  return tunnel;
}

admin_tunnel::admin_tunnel(kj_loop& loop, const std::shared_ptr<work>& resident, std::filesystem::path socket)
    : loop_(loop), work_(resident), socket_(std::move(socket)) {}

admin_tunnel::~admin_tunnel() {
  ::unlink(socket_.c_str());
  loop_.post([loop = &loop_, work = work_] {
    if (auto alive = work.lock()) loop->evict(alive.get());
  });
}

}  // namespace firstlight
