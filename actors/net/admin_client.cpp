#include "actors/net/admin_client.hpp"

#include <kj/io.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "actors/net/rpc/connection.hpp"
#include "actors/net/rpc/errors.hpp"
#include "schemas/admin_rpc.capnp.h"

namespace firstlight {
namespace {

class progress_face final : public wire::AdminProgress::Server {
 public:
  explicit progress_face(const admin_client::progress_handler& handler) : handler_(handler) {}

  kj::Promise<void> progress(ProgressContext context) override {
    const auto message = context.getParams().getMessage();
    if (handler_) handler_({reinterpret_cast<const std::byte*>(message.begin()), message.size()});
    return kj::READY_NOW;
  }

 private:
  admin_client::progress_handler handler_;
};

result<int> dial(const std::filesystem::path& socket, const std::string& absent_hint,
                 const admin_socket_limits& limits) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto text = socket.string();
  if (text.size() >= sizeof address.sun_path)
    return fail(errc::invalid_argument, "too long for a socket: " + text);
  std::memcpy(address.sun_path, text.data(), text.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return fail(errc::io, std::string("cannot make a socket: ") + std::strerror(errno));
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(limits.connect_timeout);
  const timeval patience{whole.count(), std::chrono::microseconds(limits.connect_timeout - whole).count()};
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);  // also bounds connect
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return descriptor;
  const int reason = errno;
  ::close(descriptor);
  if (reason == ENOENT || reason == ECONNREFUSED) return fail(errc::unavailable, absent_hint);
  if (reason == EACCES || reason == EPERM)
    return fail(errc::denied, "only root and the daemon's own user may use " + text);
  return fail(errc::io, "cannot connect to " + text + ": " + std::strerror(reason));
}

}  // namespace

struct admin_client::impl {
  kj::AsyncIoContext io = kj::setupAsyncIo();
  admin_socket_limits limits;
  std::string absent_hint;
  kj::Own<connection> link;
};

admin_client::admin_client(std::unique_ptr<impl> state) : impl_(std::move(state)) {}
admin_client::~admin_client() = default;
admin_client::admin_client(admin_client&&) noexcept = default;
admin_client& admin_client::operator=(admin_client&&) noexcept = default;

result<admin_client> admin_client::connect(const std::filesystem::path& socket, std::string absent_hint,
                                           admin_socket_limits limits) {
  const auto descriptor = dial(socket, absent_hint, limits);
  if (!descriptor) return tl::unexpected(descriptor.error());
  auto state = std::make_unique<impl>();
  state->limits = limits;
  state->absent_hint = std::move(absent_hint);
  link_limits as_link;
  as_link.message_bytes_max = limits.message_bytes_max;
  auto stream = state->io.lowLevelProvider->wrapSocketFd(kj::AutoCloseFd(*descriptor));
  state->link = connection::use(kj::mv(stream), state->io.provider->getTimer(), as_link);
  return admin_client(std::move(state));
}

result<shared_bytes> admin_client::call(bytes_view request, const progress_handler& on_progress) {
  constexpr std::uint64_t envelope_bytes = 1024;
  if (request.size() + envelope_bytes > impl_->limits.message_bytes_max)
    return fail(errc::limit_exceeded, "the request is larger than message_bytes_max of the admin socket");
  result<shared_bytes> reply = shared_bytes{};
  KJ_IF_MAYBE (thrown, kj::runCatchingExceptions([&] {
                 auto call = impl_->link->bootstrap().castAs<wire::Admin>().callRequest();
                 call.setRequest({reinterpret_cast<const kj::byte*>(request.data()), request.size()});
                 call.setProgress(kj::heap<progress_face>(on_progress));
                 auto answered = call.send().wait(impl_->io.waitScope);
                 reply = impl_->link->messages().keep(answered.getReply());
               }))
    reply = tl::unexpected(from_kj(*thrown));
  if (!reply && reply.error().code == errc::unavailable &&
      reply.error().detail.find("isconnected") != std::string::npos)
    return fail(errc::unavailable, "the daemon ended before it answered");
  return reply;
}

}  // namespace firstlight
