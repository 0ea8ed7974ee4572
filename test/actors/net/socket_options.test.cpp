#include "actors/net/rpc/socket_options.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "actors/net/hub_listener.hpp"
#include "storage/posix_file.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

/// The accepted side of a TCP connection over loopback that has reno.
struct connected {
  file_descriptor listening{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  file_descriptor near{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  file_descriptor far;

  connected() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* at = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(bind(listening.get(), at, length) == 0);
    REQUIRE(listen(listening.get(), 1) == 0);
    REQUIRE(getsockname(listening.get(), at, &length) == 0);
    REQUIRE(connect(near.get(), at, length) == 0);
    far = file_descriptor(accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(far);
    REQUIRE(setsockopt(far.get(), IPPROTO_TCP, TCP_CONGESTION, "reno", 4) == 0);
  }
  [[nodiscard]] std::string congestion_control() const {
    std::array<char, 32> name{};
    socklen_t length = name.size() - 1;
    REQUIRE(getsockopt(far.get(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &length) == 0);
    return name.data();
  }
  [[nodiscard]] int option(int level, int name) const {
    int value = -1;
    socklen_t length = sizeof value;
    REQUIRE(getsockopt(far.get(), level, name, &value, &length) == 0);
    return value;
  }
};

std::string available_congestion_controls() {
  std::ifstream in("/proc/sys/net/ipv4/tcp_available_congestion_control");
  std::ostringstream text;
  text << ' ' << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a hub asks for BBR by itself, and its bulk sockets have it where the kernel does") {
  const auto wanted = hub_listener_options{}.congestion_control;
  CHECK(wanted == "bbr");
  const connected both;
  const bool there = available_congestion_controls().find(" bbr") != std::string::npos;
  if (!there) WARN("this kernel has no BBR loaded: only what is kept without it is tested");
  const auto got = prepare_bulk_socket(both.far.get(), link_limits{}, wanted);
  CHECK(got == both.congestion_control());
  if (there) CHECK(got == "bbr");
  if (!there) CHECK((got == "bbr" || got == "reno"));  // the kernel may have loaded it now
}

TEST_CASE("a congestion control that the kernel does not know, or none, leaves what was there") {
  const connected both;
  CHECK(prepare_bulk_socket(both.far.get(), link_limits{}, "no such thing") == "reno");
  CHECK(prepare_bulk_socket(both.far.get(), link_limits{}, "") == "reno");
  CHECK(both.congestion_control() == "reno");
  CHECK(both.option(IPPROTO_TCP, TCP_NOTSENT_LOWAT) ==
        static_cast<int>(link_limits{}.unsent_low_water_bytes));
}

TEST_CASE("TCP itself ends a connection whose peer is silent for as long as a link may be") {
  const connected both;
  link_limits limits;
  limits.silence_max = 12'000ms;
  prepare_link_socket(both.far.get(), limits);
  CHECK(both.option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 12'000);
  CHECK(both.option(IPPROTO_TCP, TCP_NODELAY) == 1);
  CHECK(both.option(SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(both.option(IPPROTO_TCP, TCP_KEEPIDLE) == 6);
  CHECK(both.option(IPPROTO_TCP, TCP_KEEPINTVL) == 2);
}

TEST_CASE("the kernel tells the window of a connection") {
  const connected both;
  const auto state = inspect_socket(both.far.get());
  CHECK(state.window_bytes >= 10'000);  // ten packets of loopback
  CHECK(state.bandwidth == 0);
}
