#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

#include "actors/net/admin_server.hpp"
#include "apps/admin_client.hpp"
#include "test/actors/net/net_fixture.hpp"

using namespace firstlight;
using namespace firstlight::test;

namespace {

std::string text_of(const shared_bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.bytes.data()), bytes.bytes.size()};
}
shared_bytes bytes_of(const std::string& text) {
  const auto view = std::as_bytes(std::span(text));
  return share({view.begin(), view.end()});
}

/// What the service of a test was asked.
struct asked {
  std::string request;
  progress_listener listener;
  caf::typed_response_promise<admin_message> answer;
};

admin_service::behavior_type recording_service(admin_service::pointer self, happenings<asked>* calls,
                                               happenings<std::string>* ended) {
  self->set_down_handler([ended](caf::down_msg&) { ended->push("listener"); });
  self->set_error_handler([](caf::error&) {});
  return {[=](admin_message& request, const progress_listener& listener) -> caf::result<admin_message> {
    auto promise = self->make_response_promise<admin_message>();
    self->monitor(listener);
    const auto text = text_of(request.bytes);
    if (text == "echo") {
      self->send(listener, admin_message{bytes_of("half way")});
      promise.deliver(admin_message{bytes_of("echoed")});
    } else if (text == "fail") {
      promise.deliver(to_caf({errc::not_found, "image x is not known"}));
    } else {
      calls->push({text, listener, promise});
    }
    return promise;
  }};
}

struct admin_fixture : net_fixture {
  temporary_folder folder;
  std::filesystem::path socket = folder.path() / "run" / "node.sock";
  happenings<asked> calls;
  happenings<std::string> ended;
  admin_service service = system().spawn(recording_service, &calls, &ended);
  std::unique_ptr<admin_server> server;

  admin_fixture() { start(); }
  ~admin_fixture() {
    server.reset();
    while (calls.waiting() > 0) calls.next();
    caf::scoped_actor self(system());
    self->send_exit(service, caf::exit_reason::user_shutdown);
    self->wait_for(service);
  }
  void start() { server = admin_server::start(system(), hub_loop, socket, service).value(); }
  [[nodiscard]] result<admin_client> connect() const {
    return admin_client::connect(socket, "the daemon is not running; start it with 'firstlight node'");
  }
};

}  // namespace

TEST_CASE("a command gets its progress and its reply") {
  const admin_fixture daemon;
  auto client = daemon.connect().value();
  std::vector<std::string> progress;
  const auto reply = client.call(bytes_of("echo").bytes, [&](bytes_view bytes) {
    progress.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  REQUIRE(reply);
  CHECK(text_of(*reply) == "echoed");
}

TEST_CASE("a long command tells its progress while it waits") {
  admin_fixture daemon;
  auto client = daemon.connect().value();
  std::thread service([&] {
    auto call = daemon.calls.next();
    caf::anon_send(call.listener, admin_message{bytes_of("10 %")});
    auto second = daemon.calls.next();  // sent by the progress handler's thread below
    second.answer.deliver(admin_message{bytes_of("second")});
    call.answer.deliver(admin_message{bytes_of("done")});
  });
  std::string seen;
  std::thread other;
  const auto reply = client.call(bytes_of("long").bytes, [&](bytes_view bytes) {
    seen.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    other = std::thread([&] { CHECK(daemon.connect().value().call(bytes_of("short").bytes)); });
  });
  service.join();
  other.join();
  REQUIRE(reply);
  CHECK(text_of(*reply) == "done");
  CHECK(seen == "10 %");
}

TEST_CASE("the service's error reaches the command with code and detail") {
  const admin_fixture daemon;
  const auto reply = daemon.connect().value().call(bytes_of("fail").bytes);
  REQUIRE_FALSE(reply);
  CHECK(reply.error() == error{errc::not_found, "image x is not known"});
}

TEST_CASE("without a daemon the command says how to start it") {
  admin_fixture daemon;
  daemon.server.reset();
  const auto client = daemon.connect();
  REQUIRE_FALSE(client);
  CHECK(client.error() ==
        error{errc::unavailable, "the daemon is not running; start it with 'firstlight node'"});
}

TEST_CASE("the socket is for its owner only") {
  const admin_fixture daemon;
  struct stat found {};
  REQUIRE(stat(daemon.socket.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0600U);
}

TEST_CASE("a daemon that ends fails the open call and ends its listener") {
  admin_fixture daemon;
  std::thread stopper([&] {
    const auto call = daemon.calls.next();
    daemon.server.reset();
  });
  const auto reply = daemon.connect().value().call(bytes_of("never answered").bytes);
  stopper.join();
  REQUIRE_FALSE(reply);
  CHECK(reply.error() == error{errc::unavailable, "the daemon ended before it answered"});
  CHECK(daemon.ended.next() == "listener");
  daemon.start();
  CHECK(daemon.connect().value().call(bytes_of("echo").bytes));
}

TEST_CASE("one connection serves one request after the other") {
  const admin_fixture daemon;
  auto client = daemon.connect().value();
  CHECK(client.call(bytes_of("fail").bytes).error().code == errc::not_found);
  CHECK(text_of(client.call(bytes_of("echo").bytes).value()) == "echoed");
  CHECK(text_of(client.call(bytes_of("echo").bytes).value()) == "echoed");
}

TEST_CASE("a request or reply above the limit is refused by whoever notices first") {
  admin_fixture daemon;
  daemon.server.reset();
  daemon.server = admin_server::start(daemon.system(), daemon.hub_loop, daemon.socket, daemon.service,
                                      {.message_bytes_max = 5})
                      .value();
  CHECK(daemon.connect().value().call(bytes_of("too long").bytes).error().code == errc::limit_exceeded);
  CHECK(daemon.connect().value().call(bytes_of("echo").bytes).error().code == errc::limit_exceeded);
  daemon.server.reset();
  daemon.server = admin_server::start(daemon.system(), daemon.hub_loop, daemon.socket, daemon.service,
                                      {.message_bytes_max = 64U << 20U})
                      .value();
  const std::vector<std::byte> longest(admin_socket_limits{}.message_bytes_max + std::size_t{1});
  const auto refused = daemon.connect().value().call(longest);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail.find("the request is larger") == 0);
}

TEST_CASE("a client that speaks another protocol is told so and hung up on") {
  const admin_fixture daemon;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, daemon.socket.c_str(), sizeof address.sun_path - 1);
  const int raw = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::connect(raw, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const std::string other(64, '\0');
  REQUIRE(::send(raw, other.data(), other.size(), MSG_NOSIGNAL) == 64);
  std::string answer(1024, ' ');
  const auto got = ::recv(raw, answer.data(), answer.size(), 0);
  REQUIRE(got > 12);
  CHECK(answer.find("after an upgrade") != std::string::npos);
  CHECK(::recv(raw, answer.data(), answer.size(), 0) <= 0);
  ::close(raw);
  CHECK(daemon.connect().value().call(bytes_of("echo").bytes));
}

TEST_CASE("a client that goes away ends its call's listener and harms nobody") {
  admin_fixture daemon;
  const auto child = ::fork();
  if (child == 0) {  // a process of its own, to be killed in the middle of its call
    auto client = daemon.connect();
    if (client) static_cast<void>(client->call(bytes_of("never answered").bytes).has_value());
    ::_exit(1);
  }
  const auto call = daemon.calls.next();
  REQUIRE(::kill(child, SIGKILL) == 0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(daemon.ended.next() == "listener");
  CHECK(daemon.connect().value().call(bytes_of("echo").bytes));
}

TEST_CASE("a second daemon on the same socket is told that one is running") {
  admin_fixture daemon;
  const auto second = admin_server::start(daemon.system(), daemon.node_loop, daemon.socket, daemon.service);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::already_exists);
  CHECK(daemon.connect().value().call(bytes_of("echo").bytes));
}

TEST_CASE("the socket that a killed daemon left is replaced") {
  admin_fixture daemon;
  const auto left = daemon.folder.path() / "left.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, left.c_str(), sizeof address.sun_path - 1);
  const int raw = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(raw, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(raw);
  const auto second = admin_server::start(daemon.system(), daemon.node_loop, left, daemon.service);
  REQUIRE(second);
  auto client = admin_client::connect(left, "absent").value();
  CHECK(client.call(bytes_of("echo").bytes));
}

TEST_CASE("a file that is no socket is not replaced") {
  admin_fixture daemon;
  const auto file = daemon.folder.path() / "file";
  std::ofstream(file) << "precious";
  const auto second = admin_server::start(daemon.system(), daemon.node_loop, file, daemon.service);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::already_exists);
  CHECK(std::filesystem::file_size(file) == 8);
}
