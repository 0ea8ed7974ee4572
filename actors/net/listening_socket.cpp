#include "actors/net/listening_socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "actors/net/socket_file.hpp"
#include "config/settings.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

constexpr int backlog = 512;

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

}  // namespace

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

result<listening_socket> listen_on(const std::string& address_and_port) {
  const auto where = split_address(address_and_port);
  if (!where) return tl::unexpected(where.error());
  return listen_on(where->host, where->port);
}

result<int> listen_on_file(const std::filesystem::path& socket) {
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

}  // namespace firstlight
