#include "actors/net/hub_listener.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "actors/net/rpc/hub_engine.hpp"

namespace firstlight {
namespace {

constexpr int backlog = 512;

/// A bound, listening socket; closed unless taken.
struct listening_socket {
  int descriptor = -1;
  std::uint16_t port = 0;
};

tl::unexpected<error> fail_errno(const std::string& doing) {
  return fail(errc::io, doing + ": " + std::strerror(errno));
}

std::uint16_t bound_port(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length);
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

result<listening_socket> listen_on(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto text = std::to_string(port);
  if (getaddrinfo(address.c_str(), text.c_str(), &hints, &found) != 0)
    return fail(errc::invalid_argument, "cannot listen on '" + address + "': not an IPv4 or IPv6 address");
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  const int descriptor = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return fail_errno("cannot make a socket");
  const int yes = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(descriptor, found->ai_addr, found->ai_addrlen) != 0 || ::listen(descriptor, backlog) != 0) {
    auto failure = fail_errno("cannot listen on " + address + " port " + text);
    ::close(descriptor);
    return failure;
  }
  return listening_socket{descriptor, bound_port(descriptor)};
}

}  // namespace

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

void hub_listener::revoke(std::vector<std::string> names) {
  loop_.post([work = engine_, names = std::move(names)] {
    if (auto alive = work.lock()) alive->revoke(names);
  });
}

}  // namespace firstlight
