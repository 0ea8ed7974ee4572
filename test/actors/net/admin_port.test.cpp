#include "actors/net/admin_port.hpp"

#include "actors/net/admin_server.hpp"
#include "actors/net/admin_tunnel.hpp"
#include "apps/admin_client.hpp"
#include "test/actors/net/net_fixture.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;
using namespace firstlight::test;

namespace {

shared_bytes bytes_of(const std::string& text) {
  const auto view = std::as_bytes(std::span(text));
  return share({view.begin(), view.end()});
}

admin_service::behavior_type echo_service(admin_service::pointer) {
  return {[](admin_message& request, const progress_listener&) -> caf::result<admin_message> {
    return admin_message{request.bytes};
  }};
}

/// A node's admin socket and the port that leads to it from other machines.
struct port_fixture : net_fixture {
  temporary_folder folder;
  std::filesystem::path own_socket = folder.path() / "node.sock";
  admin_service service = system().spawn(echo_service);
  std::unique_ptr<admin_server> server;
  std::unique_ptr<admin_port> port;
  int tunnels = 0;

  port_fixture() { server = admin_server::start(system(), hub_loop, own_socket, service).value(); }
  ~port_fixture() {
    port.reset();
    server.reset();
    caf::scoped_actor self(system());
    self->send_exit(service, caf::exit_reason::user_shutdown);
    self->wait_for(service);
  }

  [[nodiscard]] admin_port_options options() {
    return {.listen = "127.0.0.1:0",
            .tls = pki.files(pki_role::node, "n1"),
            .limits = limits,
            .admin_socket = own_socket.string()};
  }
  void start(admin_port_options with) { port = admin_port::start(hub_loop, std::move(with)).value(); }

  struct far_console {
    std::filesystem::path socket;
    std::unique_ptr<admin_tunnel> tunnel;
  };
  /// What the console of somebody with that certificate has when it looks for a `far_side` at that port.
  result<far_console> reach(std::uint16_t where, pki_role far_side, pki_role role, const std::string& name) {
    auto socket = folder.path() / ("far" + std::to_string(++tunnels));
    auto tunnel = admin_tunnel::open(node_loop, {.address = "127.0.0.1:" + std::to_string(where),
                                                 .far_side = far_side,
                                                 .tls = pki.files(role, name),
                                                 .socket = socket});
    if (!tunnel) return tl::unexpected(tunnel.error());
    return far_console{std::move(socket), std::move(*tunnel)};
  }
  /// What the node answers to somebody with that certificate.
  result<std::string> answer_to(pki_role role, const std::string& name) {
    const auto console = reach(port->port(), pki_role::node, role, name);
    if (!console) return tl::unexpected(console.error());
    auto client = admin_client::connect(console->socket, "nobody is there");
    if (!client) return tl::unexpected(client.error());
    const auto reply = client->call(bytes_of("hello").bytes);
    if (!reply) return tl::unexpected(reply.error());
    return std::string(reinterpret_cast<const char*>(reply->bytes.data()), reply->bytes.size());
  }
};

}  // namespace

TEST_CASE("an admin's certificate administers a node from another machine") {
  port_fixture node;
  node.start(node.options());
  CHECK(node.answer_to(pki_role::admin, "ops") == "hello");
}

TEST_CASE("other certificates are told whose administer a node") {
  port_fixture node;
  node.start(node.options());
  for (const auto role : {pki_role::node, pki_role::hub, pki_role::monitor}) {
    const auto refused = node.answer_to(role, "other");
    REQUIRE_FALSE(refused);
    CHECK(refused.error() == error{errc::denied,
                                   "the node is administered by the certificates of admins: 'firstlight pki "
                                   "issue admin NAME' makes one"});
  }
  CHECK(node.answer_to(pki_role::admin, "ops") == "hello");
}

TEST_CASE("a revoked admin does not administer a node") {
  port_fixture node;
  auto options = node.options();
  options.revoked = {"admin:gone", "ops"};
  node.start(options);
  const auto refused = node.answer_to(pki_role::admin, "gone");
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == error{errc::denied, "the certificate of admin gone has been revoked"});
  CHECK(node.answer_to(pki_role::admin, "ops") == "hello");
}

TEST_CASE("who looks for a node does not take a hub for one, nor the other way round") {
  port_fixture world;
  world.start(world.options());
  world.start_hub();
  const auto no_node = world.reach(world.hub->port(), pki_role::node, pki_role::admin, "ops");
  REQUIRE_FALSE(no_node);
  CHECK(no_node.error().code == errc::denied);
  CHECK(no_node.error().detail.ends_with("is 127.0.0.1:" + std::to_string(world.hub->port()) +
                                         " the address of a node?"));
  const auto no_hub = world.reach(world.port->port(), pki_role::hub, pki_role::admin, "ops");
  REQUIRE_FALSE(no_hub);
  CHECK(no_hub.error().code == errc::denied);
  CHECK(no_hub.error().detail.ends_with("the address of a hub?"));
}

TEST_CASE("consoles above link.admin_connections_max are told to try again") {
  port_fixture node;
  node.limits.admin_connections_max = 1;
  node.start(node.options());
  const auto console = node.reach(node.port->port(), pki_role::node, pki_role::admin, "ops").value();
  std::optional<admin_client> first;
  // The connection by which the tunnel was tried may still count.
  REQUIRE(eventually([&] {
    first.emplace(admin_client::connect(console.socket, "nobody is there").value());
    return first->call(bytes_of("hello").bytes).has_value();
  }));
  auto second = admin_client::connect(console.socket, "nobody is there").value();
  const auto refused = second.call(bytes_of("hello").bytes);
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == error{errc::busy, "the node has link.admin_connections_max consoles; try again"});
  CHECK(first->call(bytes_of("hello").bytes).has_value());
}

TEST_CASE("a node that cannot listen for admins says by which setting") {
  port_fixture node;
  node.start(node.options());
  auto options = node.options();
  options.listen = "127.0.0.1:" + std::to_string(node.port->port());
  const auto taken = admin_port::start(node.hub_loop, options);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == errc::io);
  CHECK(taken.error().detail.starts_with("admin_listen: "));
  options.listen = "localhost:0";
  const auto named = admin_port::start(node.hub_loop, options);
  REQUIRE_FALSE(named);
  CHECK(named.error().code == errc::invalid_argument);
}
