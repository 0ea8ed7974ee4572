#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "test/actors/net/net_fixture.hpp"
#include "test/harness/relay.hpp"

using namespace firstlight;
using namespace firstlight::test;

namespace {

/// A TCP connection to loopback; closed at its end.
class raw_socket {
 public:
  explicit raw_socket(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    REQUIRE(::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~raw_socket() { ::close(descriptor_); }
  raw_socket(const raw_socket&) = delete;
  raw_socket& operator=(const raw_socket&) = delete;
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

using tls_context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

/// Of a TLS client with these files, which does not look who the server is.
tls_context client_context(const tls_files& files) {
  tls_context context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  REQUIRE(SSL_CTX_use_certificate_file(context.get(), files.certificate.c_str(), SSL_FILETYPE_PEM) == 1);
  REQUIRE(SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) == 1);
  return context;
}

/// Whether a TLS client with these files and at most this version gets through the handshake and stays
/// connected.
bool handshake_works(std::uint16_t port, const tls_files& files, int version_max) {
  const auto context = client_context(files);
  SSL_CTX_set_max_proto_version(context.get(), version_max);
  const raw_socket socket(port);
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), &SSL_free);
  SSL_set_fd(tls.get(), socket.get());
  return SSL_connect(tls.get()) == 1;
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0;
  std::size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

struct security_fixture : net_fixture {
  security_fixture() {
    limits.join_timeout = 400ms;
    limits.backoff_max = 30s;  // one attempt is enough to be refused
  }
  /// Why this node never gets a link.
  error refusal(hub_link_options options) {
    const auto link = link_with(std::move(options));
    const auto answer = ask<link_status>(link, caf::join_atom::value);
    REQUIRE_FALSE(answer);
    const auto status = ask<link_status>(link, caf::get_atom::value);
    REQUIRE(status);
    CHECK(status->state == link_state::down);
    CHECK_FALSE(status->last_error.empty());
    return answer.error();
  }
  void good_node_still_joins() {
    const auto link = start_node("good");
    CHECK(next_joined()->who.name == "good");
    CHECK(ask<link_status>(link, caf::join_atom::value));
  }
};

}  // namespace

TEST_CASE("a node of another authority is refused, and so is a hub of another") {
  security_fixture world;
  world.start_hub();
  certificates theirs;
  auto options = world.node_options("n1", world.hub->port());
  SECTION("the hub does not know the node's authority") {
    options.tls = theirs.files(pki_role::node, "n1");
    options.tls.ca = world.pki.files(pki_role::node, "n1").ca;
  }
  SECTION("the node does not know the hub's authority") {
    options.tls.ca = theirs.files(pki_role::node, "n1").ca;
  }
  CHECK(world.refusal(options).code == errc::timed_out);
  world.good_node_still_joins();
}

TEST_CASE("an admin's or a monitor's certificate does not join") {
  security_fixture world;
  world.start_hub();
  auto options = world.node_options("n1", world.hub->port());
  options.tls = world.pki.files(pki_role::admin, "other");
  CHECK(world.refusal(options).detail.find("not a node's") != std::string::npos);
  options.tls = world.pki.files(pki_role::monitor, "other");
  CHECK(world.refusal(options).detail.find("not a node's") != std::string::npos);
  world.good_node_still_joins();
}

TEST_CASE("another hub joins as one, beside a node of the same name") {
  security_fixture world;
  world.start_hub();
  auto options = world.node_options("good", world.hub->port());
  options.tls = world.pki.files(pki_role::hub, "good");
  options.limits.bulk_connections = options.limits.bulk_connections_without_bbr = 0;
  const auto link = world.link_with(options);
  const auto session = world.next_joined();
  CHECK(session->who.name == "hub:good");
  CHECK(session->who.is_hub);
  REQUIRE(world.ask<link_status>(link, caf::join_atom_v));
  const auto echo = world.ask<peer_answer>(link, peer_question{share({std::byte{1}, std::byte{2}})});
  REQUIRE(echo);
  CHECK(echo->encoded.bytes.size() == 2);
  world.good_node_still_joins();
}

TEST_CASE("a node's certificate does not serve as a hub's") {
  security_fixture world;
  auto impostor = world.hub_options();
  impostor.tls = world.pki.files(pki_role::node, "n2");
  world.start_hub_with(impostor);
  CHECK(world.refusal(world.node_options("n1", world.hub->port())).code == errc::timed_out);
}

TEST_CASE("a revoked node is refused") {
  security_fixture world;
  auto options = world.hub_options();
  options.revoked_nodes = {"n1"};
  world.start_hub_with(options);
  CHECK(world.refusal(world.node_options("n1", world.hub->port())).detail.find("revoked") !=
        std::string::npos);
}

TEST_CASE("another protocol version or block size is refused once, with words, and not retried in a storm") {
  security_fixture world;
  world.start_hub();
  relay wire(world.hub->port());
  auto options = world.node_options("n1", wire.port());
  const char* word = nullptr;
  SECTION("version") {
    options.protocol_version = 7;
    word = "protocol version";
  }
  SECTION("block size") {
    options.block_bytes = 4096;
    word = "block size";
  }
  const auto why = world.refusal(options);
  CHECK(why.detail.find("protocol: ") != std::string::npos);
  CHECK(why.detail.find(word) != std::string::npos);
  CHECK(wire.connections_seen() <= 2);  // control and bulk of one attempt
}

TEST_CASE("TLS 1.3 gets through and TLS 1.2 does not") {
  security_fixture world;
  world.start_hub();
  const auto files = world.pki.files(pki_role::node, "n1");
  CHECK(handshake_works(world.hub->port(), files, TLS1_3_VERSION));
  CHECK_FALSE(handshake_works(world.hub->port(), files, TLS1_2_VERSION));
}

TEST_CASE("a handshake leaves a connection's first window to what follows") {
  security_fixture world;
  world.start_hub();
  const auto files = world.pki.files(pki_role::node, "n1");
  const auto context = client_context(files);
  struct {
    int finished = 0;
    int tickets = 0;
  } told;
  SSL_CTX_set_msg_callback_arg(context.get(), &told);
  SSL_CTX_set_msg_callback(
      context.get(), [](int sent, int, int type, const void* bytes, std::size_t size, SSL*, void* counts) {
        if (sent != 0 || type != SSL3_RT_HANDSHAKE || size == 0) return;
        auto* const count = static_cast<decltype(told)*>(counts);
        const auto message = *static_cast<const unsigned char*>(bytes);
        count->finished += message == SSL3_MT_FINISHED ? 1 : 0;
        count->tickets += message == SSL3_MT_NEWSESSION_TICKET ? 1 : 0;
      });
  const raw_socket socket(world.hub->port());
  const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), &SSL_free);
  SSL_set_fd(tls.get(), socket.get());
  REQUIRE(SSL_connect(tls.get()) == 1);
  char answer[4096];
  while (SSL_read(tls.get(), answer, sizeof answer) > 0) {  // until the hub misses the join and ends it
  }
  CHECK(told.finished == 1);
  CHECK(told.tickets == 0);
}

TEST_CASE("garbage and silent connections keep nobody out and cost little memory") {
  security_fixture world;
  world.limits.handshakes_open_max = 16;
  world.start_hub();
  world.good_node_still_joins();
  const auto before = resident_bytes();
  std::vector<std::unique_ptr<raw_socket>> crowd;
  for (int i = 0; i < 200; ++i) {
    crowd.push_back(std::make_unique<raw_socket>(world.hub->port()));
    if (i % 2 == 0) continue;
    const std::string garbage(4096, static_cast<char>(i));
    REQUIRE(::send(crowd.back()->get(), garbage.data(), garbage.size(), MSG_NOSIGNAL) > 0);
  }
  const auto link = world.start_node("n2");
  CHECK(world.next_joined()->who.name == "n2");
  CHECK(resident_bytes() < before + (16U << 20U));
}

TEST_CASE("a certified peer that sends garbage inside TLS is dropped alone") {
  security_fixture world;
  world.start_hub();
  const auto files = world.pki.files(pki_role::node, "n1");
  const auto context = client_context(files);
  const std::string huge_claim("\x00\x00\x00\x00\xff\xff\xff\x7f", 8);     // one segment of 16 GiB
  const std::string many_segments("\xff\xff\xff\x7f\x01\x00\x00\x00", 8);  // two thousand million of them
  const std::string noise(65536, '\x5a');
  for (const auto& bytes : {huge_claim, many_segments, noise}) {
    const raw_socket socket(world.hub->port());
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls(SSL_new(context.get()), &SSL_free);
    SSL_set_fd(tls.get(), socket.get());
    REQUIRE(SSL_connect(tls.get()) == 1);
    // The hub may end it before the last byte has left.
    static_cast<void>(SSL_write(tls.get(), bytes.data(), static_cast<int>(bytes.size())));
    char answer[4096];
    int got = 0;
    while ((got = SSL_read(tls.get(), answer, sizeof answer)) > 0) {
    }
    CHECK(got <= 0);  // the hub has ended it
  }
  world.good_node_still_joins();
}

TEST_CASE("a hub that cannot listen or has no certificate says which") {
  security_fixture world;
  world.start_hub();
  auto taken = world.hub_options(world.hub->port());
  const auto factory = [](const node_identity&, const node_link&) { return node_session(); };
  const auto second = hub_listener::start(world.system(), world.hub_loop, taken, factory);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::io);
  auto missing = world.hub_options();
  missing.tls.key = "/nowhere/hub.key";
  const auto third = hub_listener::start(world.system(), world.hub_loop, missing, factory);
  REQUIRE_FALSE(third);
  CHECK(third.error().code == errc::not_found);
  CHECK(third.error().detail.find("/nowhere/hub.key") != std::string::npos);
}
