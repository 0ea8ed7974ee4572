#include "actors/net/admin_port.hpp"

#include "actors/net/listening_socket.hpp"
#include "actors/net/rpc/admin_relay.hpp"

namespace firstlight {

class admin_port::work {
 public:
  work(kj_loop& loop, int descriptor, std::shared_ptr<tls_identity> tls, admin_port_options options)
      : relay_(loop, {"node", std::move(options.admin_socket), options.limits, std::move(options.revoked)}),
        acceptor_(loop.io(), descriptor, std::move(tls), acceptor::options{options.limits, "admin_listen"},
                  [this](acceptor::accepted stream) { relay_.accepted(kj::mv(stream)); }) {}

 private:
  admin_relay relay_;
  acceptor acceptor_;  // last: it hands connections to the relay
};

result<std::unique_ptr<admin_port>> admin_port::start(kj_loop& loop, admin_port_options options) {
  auto tls = tls_identity::load(options.tls);
  if (!tls) return fail(tls.error(), "admin_listen");
  const auto socket = listen_on(options.listen);
  if (!socket) return fail(socket.error(), "admin_listen");
  std::weak_ptr<work> resident;
  auto started = loop.run([&] {
    auto made = std::make_shared<work>(loop, socket->descriptor, std::move(*tls), std::move(options));
    resident = made;
    loop.settle(std::move(made));
  });
  if (!started) return fail(started.error(), "admin_listen");
  return std::unique_ptr<admin_port>(new admin_port(loop, std::move(resident), socket->port));
}

admin_port::admin_port(kj_loop& loop, std::weak_ptr<work> resident, std::uint16_t port)
    : loop_(loop), work_(std::move(resident)), port_(port) {}

admin_port::~admin_port() {
  loop_.post([&loop = loop_, work = work_] {
    if (auto alive = work.lock()) loop.evict(alive.get());
  });
}

}  // namespace firstlight
