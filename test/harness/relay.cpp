#include "test/harness/relay.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace firstlight::test {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t read_bytes = 16U << 10U;
constexpr std::size_t on_the_way_max = 64U << 20U;  // of one direction of one connection

[[noreturn]] void throw_errno(const char* doing) {
  throw std::system_error(errno, std::generic_category(), doing);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void close_with(int descriptor, relay::cut_how how) {
  if (how == relay::cut_how::reset) {
    const linger now{1, 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  ::close(descriptor);
}

struct chunk {
  clock::time_point leaves;
  std::vector<char> bytes;
  std::size_t sent = 0;
};

/// Bytes from one socket to another.
struct direction {
  int from = -1;
  int to = -1;
  bool to_client = false;
  std::deque<chunk> way;
  std::size_t bytes_on_way = 0;
  bool ended = false;  // `from` will say no more
  bool shut = false;   // and `to` has been told
};

struct relayed {
  direction up;
  direction down;
  clock::time_point opens;
  bool broken = false;
};

struct settings {
  std::chrono::microseconds delay{0};
  bool connects_late = false;
  std::uint64_t rate = 0;
  bool stopped = false;
  bool stopped_to_client = false;
  bool accept_new = true;
  std::uint64_t accepted_max = ~std::uint64_t{0};
  std::uint16_t target = 0;
  std::optional<std::uint64_t> flip_in;  // bytes from now, towards the client
  std::optional<relay::cut_how> cut;
  std::size_t kept = 0;  // when that is done
  bool quit = false;

  [[nodiscard]] bool stops(const direction& way) const {
    return stopped || (stopped_to_client && way.to_client);
  }
};

}  // namespace

struct relay::impl {
  int listening = -1;
  int wake = -1;
  std::uint16_t port = 0;
  std::mutex mutex;
  settings wanted;  // under the mutex
  std::list<relayed> connections;
  clock::time_point free_up{};
  clock::time_point free_down{};
  std::atomic<std::uint64_t> to_client{0};
  std::atomic<std::uint64_t> to_server{0};
  std::atomic<std::uint64_t> seen{0};
  std::atomic<std::uint32_t> open{0};
  std::thread thread;

  template <class Change>
  void change(Change apply) {
    {
      const std::lock_guard guard(mutex);
      apply(wanted);
    }
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake, &one, sizeof one));
  }

  settings take() {
    const std::lock_guard guard(mutex);
    auto copy = wanted;
    wanted.cut.reset();
    return copy;
  }

  void work();
  void accept_one(const settings& now);
  void read_some(direction& way, const settings& now, clock::time_point opens);
  void write_some(relayed& connection, direction& way);
  void flip(std::vector<char>& bytes);
  bool step(const settings& now);
  void close_newer(cut_how how, std::size_t kept);
};

void relay::impl::accept_one(const settings& now) {
  const int client = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) return;
  if (!now.accept_new || seen >= now.accepted_max) return close_with(client, cut_how::reset);
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(now.target);
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(server);
    return close_with(client, cut_how::reset);
  }
  fcntl(server, F_SETFL, O_NONBLOCK);
  const int yes = 1;
  for (int one : {client, server}) setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  relayed connection;
  connection.up = {client, server, false, {}, 0, false, false};
  connection.down = {server, client, true, {}, 0, false, false};
  connection.opens = clock::now() + (now.connects_late ? 2 * now.delay : std::chrono::microseconds(0));
  connections.push_back(std::move(connection));
  ++seen;
  ++open;
}

void relay::impl::flip(std::vector<char>& bytes) {
  const std::lock_guard guard(mutex);
  if (!wanted.flip_in) return;
  if (*wanted.flip_in >= bytes.size()) {
    *wanted.flip_in -= bytes.size();
    return;
  }
  bytes[*wanted.flip_in] = static_cast<char>(bytes[*wanted.flip_in] ^ 1);
  wanted.flip_in.reset();
}

void relay::impl::read_some(direction& way, const settings& now, clock::time_point opens) {
  std::vector<char> bytes(read_bytes);
  const auto got = ::read(way.from, bytes.data(), bytes.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    way.ended = true;
    return;
  }
  bytes.resize(static_cast<std::size_t>(got));
  if (way.to_client) flip(bytes);
  auto leaves = std::max(clock::now(), opens);
  if (now.rate > 0) {
    auto& free = way.to_client ? free_down : free_up;
    leaves = std::max(leaves, free) + std::chrono::nanoseconds(bytes.size() * 1'000'000'000 / now.rate);
    free = leaves;
  }
  way.bytes_on_way += bytes.size();
  way.way.push_back({leaves + now.delay, std::move(bytes), 0});
}

void relay::impl::write_some(relayed& connection, direction& way) {
  while (!way.way.empty() && way.way.front().leaves <= clock::now()) {
    auto& first = way.way.front();
    const auto sent =
        ::send(way.to, first.bytes.data() + first.sent, first.bytes.size() - first.sent, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent < 0) {
      connection.broken = true;
      return;
    }
    first.sent += static_cast<std::size_t>(sent);
    way.bytes_on_way -= static_cast<std::size_t>(sent);
    (way.to_client ? to_client : to_server) += static_cast<std::uint64_t>(sent);
    if (first.sent < first.bytes.size()) return;
    way.way.pop_front();
  }
  if (!way.ended || !way.way.empty() || way.shut) return;
  ::shutdown(way.to, SHUT_WR);
  way.shut = true;
}

void relay::impl::close_newer(cut_how how, std::size_t kept) {
  const auto first = std::next(connections.begin(), static_cast<long>(std::min(kept, connections.size())));
  for (auto one = first; one != connections.end(); ++one) {
    close_with(one->up.from, how);
    close_with(one->up.to, how);
    --open;
  }
  connections.erase(first, connections.end());
}

// One round: wait for sockets, commands and times, then move bytes.
bool relay::impl::step(const settings& now) {
  std::vector<pollfd> polled{{wake, POLLIN, 0}, {listening, POLLIN, 0}};
  auto next = clock::time_point::max();
  for (auto& one : connections)
    for (auto* way : {&one.up, &one.down}) {
      const bool moves = !now.stops(*way);
      const bool reads =
          moves && !way->ended && way->bytes_on_way < on_the_way_max && clock::now() >= one.opens;
      const bool ready = moves && !way->way.empty() && way->way.front().leaves <= clock::now();
      if (moves && clock::now() < one.opens) next = std::min(next, one.opens);
      if (moves && !way->way.empty() && !ready) next = std::min(next, way->way.front().leaves);
      polled.push_back({reads ? way->from : -1, POLLIN, 0});
      polled.push_back({ready ? way->to : -1, POLLOUT, 0});
    }
  timespec limit{};
  const auto wait = std::max(std::chrono::nanoseconds(next - clock::now()), std::chrono::nanoseconds(0));
  limit.tv_sec = wait.count() / 1'000'000'000;
  limit.tv_nsec = wait.count() % 1'000'000'000;
  ::ppoll(polled.data(), polled.size(), next == clock::time_point::max() ? nullptr : &limit, nullptr);
  std::uint64_t count = 0;
  if (polled[0].revents != 0) return ::read(wake, &count, sizeof count) >= 0;  // the settings have changed
  std::size_t at = 2;
  for (auto& one : connections)
    for (auto* way : {&one.up, &one.down}) {
      if (polled[at].revents != 0) read_some(*way, now, one.opens);
      if (!now.stops(*way)) write_some(one, *way);
      at += 2;
    }
  for (auto one = connections.begin(); one != connections.end();) {
    if (!one->broken && !(one->up.shut && one->down.shut)) {
      ++one;
      continue;
    }
    ::close(one->up.from);
    ::close(one->up.to);
    --open;
    one = connections.erase(one);
  }
  if (polled[1].revents != 0) accept_one(now);
  return true;
}

void relay::impl::work() {
  for (;;) {
    const auto now = take();
    if (now.cut || now.quit) close_newer(now.cut.value_or(cut_how::close), now.quit ? 0 : now.kept);
    if (now.quit) return;
    step(now);
  }
}

relay::relay(std::uint16_t target_port, std::uint16_t listen_port) : impl_(std::make_unique<impl>()) {
  impl_->wanted.target = target_port;
  impl_->wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  impl_->listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  setsockopt(impl_->listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  auto address = loopback(listen_port);
  socklen_t length = sizeof address;
  if (::bind(impl_->listening, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::listen(impl_->listening, SOMAXCONN) != 0 ||
      ::getsockname(impl_->listening, reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw_errno("relay");
  impl_->port = ntohs(address.sin_port);
  impl_->thread = std::thread([this] { impl_->work(); });
}

relay::~relay() {
  impl_->change([](settings& now) { now.quit = true; });
  impl_->thread.join();
  ::close(impl_->listening);
  ::close(impl_->wake);
}

std::uint16_t relay::port() const {
  return impl_->port;
}
void relay::delay(std::chrono::microseconds one_way) {
  impl_->change([&](settings& now) { now.delay = one_way; });
}
void relay::connects_late(bool late) {
  impl_->change([&](settings& now) { now.connects_late = late; });
}
void relay::rate(std::uint64_t bytes_per_second) {
  impl_->change([&](settings& now) { now.rate = bytes_per_second; });
}
void relay::stop() {
  impl_->change([](settings& now) { now.stopped = true; });
}
void relay::stop_to_client() {
  impl_->change([](settings& now) { now.stopped_to_client = true; });
}
void relay::resume() {
  impl_->change([](settings& now) { now.stopped = now.stopped_to_client = false; });
}
void relay::cut(cut_how how, std::size_t kept) {
  impl_->change([&](settings& now) {
    now.cut = how;
    now.kept = kept;
  });
}
void relay::accept_new(bool yes) {
  impl_->change([&](settings& now) { now.accept_new = yes; });
}
void relay::accept_first(std::uint64_t count) {
  impl_->change([&](settings& now) { now.accepted_max = count; });
}
void relay::flip_bit_to_client(std::uint64_t offset) {
  impl_->change([&](settings& now) { now.flip_in = offset; });
}
void relay::retarget(std::uint16_t target_port) {
  impl_->change([&](settings& now) { now.target = target_port; });
}
std::uint64_t relay::bytes_to_client() const {
  return impl_->to_client;
}
std::uint64_t relay::bytes_to_server() const {
  return impl_->to_server;
}
std::uint64_t relay::connections_seen() const {
  return impl_->seen;
}
std::uint32_t relay::connections_open() const {
  return impl_->open;
}

}  // namespace firstlight::test
