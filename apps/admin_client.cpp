#include "apps/admin_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/admin_socket_limits.hpp"
#include "schemas/admin_frame.hpp"

namespace firstlight {
namespace {

constexpr admin_socket_limits limits;  // commands read no settings

tl::unexpected<error> ended() {
  return fail(errc::unavailable, "the daemon ended before it answered");
}

/// Bounds how long connect and send may take.
void limit_sending(int descriptor, std::chrono::milliseconds limit) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(limit);
  const timeval patience{whole.count(), std::chrono::microseconds(limit - whole).count()};
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

result<void> send_request(int descriptor, bytes_view request) {
  auto head = encode(admin_frame_head{.kind = admin_frame_kind::request,
                                      .body_bytes = static_cast<std::uint32_t>(request.size())});
  std::array<iovec, 2> pieces{
      {{head.data(), head.size()}, {const_cast<std::byte*>(request.data()), request.size()}}};  // only read
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  while (message.msg_iovlen > 0) {
    auto sent = ::sendmsg(descriptor, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
      return {};  // what it still said is in its answer
    if (sent < 0 && errno == EAGAIN) return fail(errc::timed_out, "the daemon does not read the request");
    if (sent < 0) return fail(errc::io, std::string("cannot send the request: ") + std::strerror(errno));
    for (; message.msg_iovlen > 0 && static_cast<std::size_t>(sent) >= message.msg_iov->iov_len;
         --message.msg_iovlen)
      sent -= static_cast<ssize_t>(message.msg_iov++->iov_len);
    if (message.msg_iovlen == 0) break;
    message.msg_iov->iov_base = static_cast<std::byte*>(message.msg_iov->iov_base) + sent;
    message.msg_iov->iov_len -= static_cast<std::size_t>(sent);
  }
  return {};
}

result<void> receive(int descriptor, std::span<std::byte> into) {
  while (!into.empty()) {
    const auto got = ::recv(descriptor, into.data(), into.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 || (got < 0 && errno == ECONNRESET)) return ended();
    if (got < 0) return fail(errc::io, std::string("cannot read the answer: ") + std::strerror(errno));
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

/// Until the socket has something to read. Errors: `cancelled` when the other descriptor has, too.
result<void> wait_readable(int descriptor, int interrupt) {
  if (interrupt < 0) return {};  // the read waits
  std::array<pollfd, 2> sources{{{descriptor, POLLIN, 0}, {interrupt, POLLIN, 0}}};
  while (poll(sources.data(), sources.size(), -1) < 0)
    if (errno != EINTR) return fail(errc::io, std::string("wait for the answer: ") + std::strerror(errno));
  if (sources[1].revents != 0) return fail(errc::cancelled, "interrupted");
  return {};
}

struct frame {
  admin_frame_head head;
  std::vector<std::byte> body;
};

result<frame> receive_frame(int descriptor, std::uint32_t body_bytes_max) {
  admin_frame_head_bytes bytes{};
  if (const auto got = receive(descriptor, bytes); !got) return tl::unexpected(got.error());
  const auto head = decode_admin_frame_head(bytes, body_bytes_max);
  if (!head) return tl::unexpected(head.error());
  frame whole{*head, std::vector<std::byte>(head->body_bytes)};
  if (const auto got = receive(descriptor, whole.body); !got) return tl::unexpected(got.error());
  return whole;
}

}  // namespace

result<admin_client> admin_client::connect(const std::filesystem::path& socket,
                                           const std::string& absent_hint) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto& text = socket.native();
  if (text.size() >= sizeof address.sun_path)
    return fail(errc::invalid_argument, "too long for a socket: " + text);
  std::memcpy(address.sun_path, text.data(), text.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return fail(errc::io, std::string("cannot make a socket: ") + std::strerror(errno));
  admin_client client(descriptor);
  limit_sending(descriptor, limits.connect_timeout);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return client;
  if (errno == ENOENT || errno == ECONNREFUSED) return fail(errc::unavailable, absent_hint);
  if (errno == EACCES || errno == EPERM)
    return fail(errc::denied, "only root and the daemon's own user may use " + text);
  return fail(errc::io, "cannot connect to " + text + ": " + std::strerror(errno));
}

admin_client::~admin_client() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

result<shared_bytes> admin_client::call(bytes_view request, const progress_handler& on_progress,
                                        int interrupt) {
  if (request.size() > limits.message_bytes_max)
    return fail(errc::limit_exceeded, "the request is larger than message_bytes_max of the admin socket");
  if (const auto sent = send_request(descriptor_, request); !sent) return tl::unexpected(sent.error());
  while (true) {
    if (const auto there = wait_readable(descriptor_, interrupt); !there)
      return tl::unexpected(there.error());
    auto answer = receive_frame(descriptor_, limits.message_bytes_max);
    if (!answer) return tl::unexpected(answer.error());
    const auto* text = reinterpret_cast<const char*>(answer->body.data());
    switch (answer->head.kind) {
      case admin_frame_kind::progress:
        if (on_progress) on_progress(answer->body);
        break;
      case admin_frame_kind::reply:
        return share(std::move(answer->body));
      case admin_frame_kind::failure:
        return fail(answer->head.code, std::string(text, answer->body.size()));
      case admin_frame_kind::request:
        return fail(errc::protocol, "the daemon asks instead of answering");
    }
  }
}

}  // namespace firstlight
