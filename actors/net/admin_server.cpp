#include "actors/net/admin_server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "actors/net/rpc/admin_engine.hpp"
#include "actors/net/socket_file.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

constexpr int backlog = 64;

tl::unexpected<error> fail_errno(const std::string& doing) {
  return fail(errc::io, doing + ": " + std::strerror(errno));
}

result<int> listen_on(const std::filesystem::path& socket) {
  const auto address = free_socket_file(socket);
  if (!address) return tl::unexpected(address.error());
  file_descriptor listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Before bind, so that the file never exists with a wider mode.
  if (listening.get() < 0 || ::fchmod(listening.get(), 0600) != 0) return fail_errno("cannot make a socket");
  if (::bind(listening.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      ::listen(listening.get(), backlog) != 0)
    return fail_errno("cannot listen on " + socket.string());
  return listening.release();
}

}  // namespace

result<std::unique_ptr<admin_server>> admin_server::start(caf::actor_system& system, kj_loop& loop,
                                                          std::filesystem::path socket, admin_service service,
                                                          admin_socket_limits limits) {
  auto listener = admin_listener::bind(std::move(socket));
  if (!listener) return tl::unexpected(listener.error());
  return start(system, loop, std::move(*listener), std::move(service), limits);
}

result<admin_listener> admin_listener::bind(std::filesystem::path socket) {
  const auto descriptor = listen_on(socket);
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
