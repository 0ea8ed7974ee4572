#include "actors/net/hub_listener.hpp"

#include "actors/net/listening_socket.hpp"
#include "actors/net/rpc/hub_engine.hpp"

namespace firstlight {
result<std::unique_ptr<hub_listener>> hub_listener::start(caf::actor_system& system, kj_loop& loop,
                                                          hub_listener_options options,
                                                          node_session_factory make_session) {
  auto tls = tls_identity::load(options.tls);
  if (!tls) return tl::unexpected(tls.error());
  auto socket = listen_on(options.address, options.port);
  if (!socket) return tl::unexpected(socket.error());
  auto engine = std::make_shared<hub_engine>(system, loop, std::move(options), std::move(make_session),
                                             std::move(*tls));
  auto started = loop.run([&loop, engine, descriptor = socket->descriptor] {
    engine->start(descriptor);
    loop.settle(engine);
  });
  if (!started) return tl::unexpected(started.error());
  return std::unique_ptr<hub_listener>(new hub_listener(loop, engine, socket->port));
}

hub_listener::hub_listener(kj_loop& loop, const std::shared_ptr<hub_engine>& work, std::uint16_t port)
    : loop_(loop), engine_(work), port_(port) {}

hub_listener::~hub_listener() {
  loop_.post([loop = &loop_, work = engine_] {
    if (auto alive = work.lock()) loop->evict(alive.get());
  });
}

}  // namespace firstlight
