#include "fuse_bridge/keeper_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace firstlight {
namespace {

constexpr int backlog = 8;

/// Room for the one descriptor that a message may carry.
struct descriptor_room {
  alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(int))] = {};
};

result<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto text = path.string();
  if (text.size() >= sizeof address.sun_path)
    return fail(errc::invalid_argument, text + " is too long for a socket; choose a shorter run_folder");
  std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
  return address;
}

result<file_descriptor> new_socket() {
  file_descriptor made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!made) return tl::unexpected(from_errno(errno, "make a socket for the keeper"));
  return made;
}

file_descriptor descriptor_in(msghdr& packet) {
  const cmsghdr* header = CMSG_FIRSTHDR(&packet);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return {};
  int number = -1;
  std::memcpy(&number, CMSG_DATA(header), sizeof number);
  return file_descriptor(number);
}

}  // namespace

result<void> keeper_socket::send(const keeper_message& message, int descriptor) {
  auto bytes = encode(message);
  if (bytes.size() > message_bytes_max_)
    return fail(errc::limit_exceeded, "keeper.message_bytes_max: " + std::to_string(bytes.size()) + " bytes");
  iovec part{bytes.data(), bytes.size()};
  descriptor_room room;
  msghdr packet{};
  packet.msg_iov = &part;
  packet.msg_iovlen = 1;
  if (descriptor >= 0) {
    packet.msg_control = room.bytes;
    packet.msg_controllen = sizeof room.bytes;
    cmsghdr* header = CMSG_FIRSTHDR(&packet);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  while (sendmsg(socket_.get(), &packet, MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return fail(errc::timed_out, "the keeper takes nothing");
    if (errno == EPIPE || errno == ECONNRESET) return fail(errc::unavailable, "the keeper has ended");
    return tl::unexpected(from_errno(errno, "send to the keeper"));
  }
  return {};
}

result<std::optional<keeper_socket::received>> keeper_socket::receive() {
  std::vector<std::byte> bytes(message_bytes_max_);
  iovec part{bytes.data(), bytes.size()};
  descriptor_room room;
  msghdr packet{};
  packet.msg_iov = &part;
  packet.msg_iovlen = 1;
  packet.msg_control = room.bytes;
  packet.msg_controllen = sizeof room.bytes;
  auto got = recvmsg(socket_.get(), &packet, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR) got = recvmsg(socket_.get(), &packet, MSG_CMSG_CLOEXEC);
  if (got < 0 && errno == EAGAIN) return fail(errc::timed_out, "the keeper does not answer");
  if (got == 0 || (got < 0 && errno == ECONNRESET)) return std::nullopt;
  if (got < 0) return tl::unexpected(from_errno(errno, "receive from the keeper"));
  auto descriptor = descriptor_in(packet);
  if ((packet.msg_flags & MSG_TRUNC) != 0) return fail(errc::corrupt, "a keeper's message is too long");
  auto message = decode_keeper_message({bytes.data(), static_cast<std::size_t>(got)});
  if (!message) return tl::unexpected(message.error());
  return received{std::move(*message), std::move(descriptor)};
}

result<file_descriptor> listen_for_nodes(const std::filesystem::path& path) {
  const auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  auto listener = new_socket();
  if (!listener) return listener;
  ::unlink(path.c_str());  // left by a keeper that was killed
  // The mode counts from the moment of binding: nobody else can connect in between.
  const bool bound =
      fchmod(listener->get(), 0600) == 0 &&
      bind(listener->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0;
  if (!bound || listen(listener->get(), backlog) != 0)
    return tl::unexpected(from_errno(errno, "listen at " + path.string()));
  return listener;
}

result<file_descriptor> connect_to_keeper(const std::filesystem::path& path) {
  const auto address = address_of(path);
  if (!address) return tl::unexpected(address.error());
  auto socket = new_socket();
  if (!socket) return socket;
  if (connect(socket->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0)
    return socket;
  if (errno == ENOENT || errno == ECONNREFUSED)
    return fail(errc::not_found, "no keeper listens at " + path.string());
  return tl::unexpected(from_errno(errno, "connect to " + path.string()));
}

}  // namespace firstlight
