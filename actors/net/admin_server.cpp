#include "actors/net/admin_server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "actors/net/rpc/admin_engine.hpp"

namespace firstlight {
namespace {

constexpr int backlog = 64;

/// Closes its descriptor unless it was released.
class descriptor_owner {
 public:
  explicit descriptor_owner(int descriptor) : descriptor_(descriptor) {}
  ~descriptor_owner() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  descriptor_owner(const descriptor_owner&) = delete;
  descriptor_owner& operator=(const descriptor_owner&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

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
  const descriptor_owner probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN)
    return fail(errc::already_exists, "a daemon is running already: it answers on " + socket.string());
  if (errno != ECONNREFUSED) return fail_errno("cannot try " + socket.string());
  if (::unlink(socket.c_str()) != 0) return fail_errno("cannot replace " + socket.string());
  return {};
}

result<int> listen_on(const std::filesystem::path& socket) {
  const auto address = socket_address(socket);
  if (!address) return tl::unexpected(address.error());
  std::error_code failed;
  if (socket.has_parent_path()) std::filesystem::create_directories(socket.parent_path(), failed);
  if (failed) return fail(errc::io, "cannot make " + socket.parent_path().string() + ": " + failed.message());
  if (auto removed = remove_stale(socket, *address); !removed) return tl::unexpected(removed.error());
  descriptor_owner listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
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
