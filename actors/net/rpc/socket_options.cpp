#include "actors/net/rpc/socket_options.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/tcp.h>  // not netinet/tcp.h: its tcp_info ends before tcpi_bytes_acked
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace firstlight {
namespace {

// A refusal is answered by how the connection then behaves, never by an error.
void set_option(int descriptor, int level, int name, std::int64_t value) {
  const int number = static_cast<int>(std::clamp<std::int64_t>(value, 0, 0x7fffffff));
  static_cast<void>(setsockopt(descriptor, level, name, &number, sizeof number));
}

std::string congestion_control_of(int descriptor) {
  std::array<char, 32> name{};
  auto length = static_cast<socklen_t>(name.size() - 1);
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, name.data(), &length) != 0) return {};
  return name.data();
}

double bandwidth_of(int descriptor) {
  tcp_bbr_info info{};
  socklen_t length = sizeof info;
  if (congestion_control_of(descriptor) != "bbr" ||
      getsockopt(descriptor, IPPROTO_TCP, TCP_CC_INFO, &info, &length) != 0)
    return 0;
  return static_cast<double>(std::uint64_t{info.bbr_bw_hi} << 32U | info.bbr_bw_lo);
}

std::int64_t whole_seconds(std::chrono::milliseconds time) {
  return std::max<std::int64_t>(1, time.count() / 1000);
}

}  // namespace

void prepare_link_socket(int descriptor, const link_limits& limits) {
  set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, whole_seconds(limits.silence_max / 2));
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, whole_seconds(limits.silence_max / 6));
  set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, limits.silence_max.count());
}

std::string prepare_bulk_socket(int descriptor, const link_limits& limits,
                                const std::string& congestion_control) {
  set_option(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, limits.unsent_low_water_bytes);
  if (!congestion_control.empty())
    static_cast<void>(setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, congestion_control.data(),
                                 static_cast<socklen_t>(congestion_control.size())));
  return congestion_control_of(descriptor);
}

void pace_socket(int descriptor, std::optional<double> bytes_per_second) {
  constexpr double least = 1;
  const std::uint64_t rate =
      bytes_per_second ? static_cast<std::uint64_t>(std::max(least, *bytes_per_second)) : ~std::uint64_t{0};
  static_cast<void>(setsockopt(descriptor, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate));
}

socket_state inspect_socket(int descriptor) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return {};
  return {std::chrono::microseconds(info.tcpi_rtt), info.tcpi_bytes_acked, bandwidth_of(descriptor),
          std::uint64_t{info.tcpi_snd_cwnd} * info.tcpi_snd_mss};
}

std::string peer_address(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return "unknown";
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(ntohs(v4->sin_port));
  }
  if (address.ss_family != AF_INET6) return "unknown";
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
  inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6->sin6_port));
}

}  // namespace firstlight
