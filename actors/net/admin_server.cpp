#include "actors/net/admin_server.hpp"

#include <unistd.h>

#include "actors/net/listening_socket.hpp"
#include "actors/net/rpc/admin_engine.hpp"

namespace firstlight {
result<std::unique_ptr<admin_server>> admin_server::start(caf::actor_system& system, kj_loop& loop,
                                                          std::filesystem::path socket, admin_service service,
                                                          admin_socket_limits limits) {
  auto listener = admin_listener::bind(std::move(socket));
  if (!listener) return tl::unexpected(listener.error());
  return start(system, loop, std::move(*listener), std::move(service), limits);
}

result<admin_listener> admin_listener::bind(std::filesystem::path socket) {
  const auto descriptor = listen_on_file(socket);
  if (!descriptor) return tl::unexpected(descriptor.error());
  return admin_listener(*descriptor, std::move(socket));
}

admin_listener::~admin_listener() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(socket_.c_str());
}

result<std::unique_ptr<admin_server>> admin_server::start(caf::actor_system& system, kj_loop& loop,
                                                          admin_listener listener, admin_service service,
                                                          admin_socket_limits limits) {
  auto engine = std::make_shared<admin_engine>(system, loop, std::move(service), limits);
  auto started = loop.run([&loop, engine, taken = std::exchange(listener.descriptor_, -1)] {
    engine->start(taken);
    loop.settle(engine);
  });
  if (!started) return tl::unexpected(started.error());
  return std::unique_ptr<admin_server>(new admin_server(loop, engine, std::move(listener.socket_)));
}

admin_server::admin_server(kj_loop& loop, const std::shared_ptr<admin_engine>& work,
                           std::filesystem::path socket)
    : loop_(loop), engine_(work), socket_(std::move(socket)) {}

admin_server::~admin_server() {
  ::unlink(socket_.c_str());
  loop_.post([loop = &loop_, work = engine_] {
    if (auto alive = work.lock()) loop->evict(alive.get());
  });
}

}  // namespace firstlight
