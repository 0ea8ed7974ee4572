#include "actors/net/hub_link.hpp"

#include "actors/net/kj_loop.hpp"
#include "actors/net/rpc/node_engine.hpp"

namespace firstlight {

result<hub_link> spawn_hub_link(caf::actor_system& system, kj_loop& loop, hub_link_options options) {
  if (options.address.rfind(':') == std::string::npos)
    return fail(errc::invalid_argument, "the hub's address reads host:port, not '" + options.address + "'");
  auto tls = tls_identity::load(options.tls);
  if (!tls) return tl::unexpected(tls.error());
  const auto join_timeout = options.limits.join_timeout;
  auto engine = std::make_shared<node_engine>(loop, std::move(options), std::move(*tls));
  auto link = spawn_hub_link_shell(system, loop, engine, join_timeout);
  const bool started = loop.post([&loop, engine, link] {
    loop.settle(engine);
    engine->start(link);
  });
  if (started) return caf::actor_cast<hub_link>(link);
  caf::anon_send_exit(link, caf::exit_reason::user_shutdown);
  return fail(errc::cancelled, "the transport has stopped");
}

}  // namespace firstlight
