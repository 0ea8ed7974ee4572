#include "actors/net/socket_file.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

tl::unexpected<error> fail_errno(const std::string& doing) {
  return fail(errc::io, doing + ": " + std::strerror(errno));
}

result<sockaddr_un> socket_address(const std::filesystem::path& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto text = socket.string();
  if (text.empty() || text.size() >= sizeof address.sun_path)
    return fail(errc::invalid_argument, "the socket's path has more than " +
                                            std::to_string(sizeof address.sun_path - 1) + " bytes: " + text);
  std::memcpy(address.sun_path, text.data(), text.size());
  return address;
}

// A socket that nobody listens on any more was left by a daemon that was killed.
result<void> remove_stale(const std::filesystem::path& socket, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(socket.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode))
    return fail(errc::already_exists, socket.string() + " is there and not a socket");
  const file_descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN)
    return fail(errc::already_exists, "a daemon is running already: it answers on " + socket.string());
  if (errno != ECONNREFUSED) return fail_errno("cannot try " + socket.string());
  if (::unlink(socket.c_str()) != 0) return fail_errno("cannot replace " + socket.string());
  return {};
}

}  // namespace

result<sockaddr_un> free_socket_file(const std::filesystem::path& socket) {
  const auto address = socket_address(socket);
  if (!address) return address;
  std::error_code failed;
  if (socket.has_parent_path()) std::filesystem::create_directories(socket.parent_path(), failed);
  if (failed) return fail(errc::io, "cannot make " + socket.parent_path().string() + ": " + failed.message());
  if (auto removed = remove_stale(socket, *address); !removed) return tl::unexpected(removed.error());
  return address;
}

}  // namespace firstlight
