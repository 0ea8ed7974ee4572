#include "test/actors/net/net_fixture.hpp"
#include "test/harness/eventually.hpp"
#include "test/harness/relay.hpp"

using namespace firstlight;
using namespace firstlight::test;

namespace {

// More than the windows of all connections over loopback, where a packet has up to 64 KiB.
constexpr std::size_t tree_bytes = 8'000'001;

/// A node behind a relay with a pull that it made before its link was up.
struct opened : net_fixture {
  std::unique_ptr<relay> wire;
  std::shared_ptr<node_side> node = make_receiver();
  std::shared_ptr<hub_side> session;

  opened() {
    limits.opening_time = 60s;
    limits.bulk_connections_without_bbr = 1;  // as with BBR
  }
  void start(std::uint64_t connections_max = ~std::uint64_t{0}) {
    start_hub();
    wire = std::make_unique<relay>(hub->port());
    wire->accept_first(connections_max);
    session = join(*wire, "n1", node);
  }
  /// The session of a node that makes a pull before its link is up.
  std::shared_ptr<hub_side> join(relay& over, const std::string& name, const std::shared_ptr<node_side>& to) {
    over.stop();
    const auto link = link_with(node_options(name, over.port()));
    caf::scoped_actor self(system());
    auto asked =
        self->request(link, patience, pull_request{.delivery = 1, .reference = "redis:7"}, to->actor);
    REQUIRE(ask<link_status>(link, caf::get_atom_v));  // so the pull has reached the link
    over.resume();
    auto joined = next_joined();
    joined->pulls.next().answer.deliver(pull_started{});
    asked.receive([](pull_started&) {}, [](caf::error& failure) { FAIL(to_string(from_caf(failure))); });
    REQUIRE(joined->attached.next().connections == 1);
    return joined;
  }
  void wait_for_connections(std::uint32_t count) const {
    REQUIRE(eventually([&] { return wire->connections_open() == count; }));
  }

  static toc_frame make_tree() {
    toc_frame toc;
    toc.part = toc_part::tree;
    toc.bytes = 12'345;
    toc.frame = make_segment(3, tree_bytes).frame;
    toc.origin.statement = std::vector<std::byte>(40, std::byte{7});
    return toc;
  }
  void check_tree() {
    const auto got = node->tocs.next();
    CHECK(got.delivery == 1);
    CHECK(got.toc.part == toc_part::tree);
    CHECK(got.toc.bytes == 12'345);
    CHECK(got.toc.origin.statement == std::vector<std::byte>(40, std::byte{7}));
    CHECK(equal_bytes(got.toc.frame, make_tree().frame));
    CHECK(node->tocs.waiting() == 0);
  }
  // The session is the same: a segment gets through, and nobody was told of an end.
  void check_link() {
    CHECK(ask<delivered>(session->link, outgoing_segment{1, make_segment(1, 1000)}));
    while (node->changes.waiting() > 0) CHECK(node->changes.next().now != link_state::down);
    CHECK(session->ended.waiting() == 0);
  }
};

}  // namespace

TEST_CASE("the first tree comes in pieces over connections that end when it is there") {
  opened world;
  world.start();
  world.wait_for_connections(2 + world.limits.opening_connections);
  REQUIRE(world.ask<delivered>(world.session->link, outgoing_toc{1, opened::make_tree()}));
  world.check_tree();
  world.wait_for_connections(2);
  const auto receipt = world.session->receipts.next();
  CHECK(std::get<toc_part>(receipt.part) == toc_part::tree);
  CHECK(world.session->receipts.waiting() == 0);
  world.check_link();
  REQUIRE(world.ask<delivered>(world.session->link, outgoing_toc{1, opened::make_tree()}));
  world.check_tree();  // over the standing connection
}

TEST_CASE("a tree is there before its pieces' connections are: it does not wait for those that never come") {
  opened world;
  world.start(2);  // control and bulk are dialled before the others
  REQUIRE(world.ask<delivered>(world.session->link, outgoing_toc{1, opened::make_tree()}));
  world.check_tree();
  world.check_link();
}

TEST_CASE("two trees come in pieces at once, with segments between them") {
  opened world;
  world.limits.opening_time = 3s;  // a window that the segment opened may take the trees as a whole
  world.start();
  world.wait_for_connections(2 + world.limits.opening_connections);
  caf::scoped_actor self(world.system());
  self->request(world.session->link, patience, outgoing_segment{1, make_segment(1, 3'000'000)})
      .receive([](delivered&) {}, [](caf::error& failure) { FAIL(to_string(from_caf(failure))); });
  auto contents = opened::make_tree();
  contents.part = toc_part::contents;
  contents.frame = make_segment(4, tree_bytes / 2).frame;
  auto first = self->request(world.session->link, patience, outgoing_toc{1, opened::make_tree()});
  auto second = self->request(world.session->link, patience, outgoing_toc{1, contents});
  self->send(world.session->link, outgoing_segment{1, make_segment(2, 3'000'000)});
  const auto arrived = [](delivered& answer) { CHECK_FALSE(answer.answer.failure); };
  const auto failed = [](caf::error& failure) { FAIL(to_string(from_caf(failure))); };
  first.receive(arrived, failed);
  second.receive(arrived, failed);
  for (int i = 0; i < 2; ++i) {
    const auto got = world.node->tocs.next();
    const bool tree = got.toc.part == toc_part::tree;
    CHECK(equal_bytes(got.toc.frame, (tree ? opened::make_tree() : contents).frame));
  }
  world.wait_for_connections(2);
  world.check_link();
}

TEST_CASE("a tree is whole when connections end that carry its pieces") {
  opened world;
  world.limits.silence_max = 5s;
  world.start();
  world.wait_for_connections(2 + world.limits.opening_connections);
  world.wire->rate(16'000'000);
  const auto before = world.wire->bytes_to_client();
  caf::scoped_actor self(world.system());
  auto asked = self->request(world.session->link, patience, outgoing_toc{1, opened::make_tree()});
  REQUIRE(eventually([&] { return world.wire->bytes_to_client() > before + 500'000; }));
  const auto how = GENERATE(relay::cut_how::reset, relay::cut_how::close);
  world.wire->cut(how, 2);
  asked.receive([](delivered& answer) { CHECK_FALSE(answer.answer.failure); },
                [](caf::error& failure) { FAIL(to_string(from_caf(failure))); });
  world.check_tree();
  world.check_link();
}

TEST_CASE("opening connections that no tree needs end, and the link stays") {
  opened world;
  world.limits.opening_time = 100ms;
  world.start();
  REQUIRE(eventually([&] { return world.wire->connections_seen() == 2 + world.limits.opening_connections; }));
  world.wait_for_connections(2);
  world.check_link();
}

TEST_CASE("connections that carry pieces stay beyond their time, until these have arrived") {
  opened world;
  world.limits.opening_time = 2s;
  world.limits.silence_max = 8s;  // longer than nothing comes to the node
  world.start();
  world.wire->rate(4'000'000);
  const auto before = world.wire->bytes_to_client();
  caf::scoped_actor self(world.system());
  auto asked = self->request(world.session->link, patience, outgoing_toc{1, opened::make_tree()});
  REQUIRE(eventually([&] { return world.wire->bytes_to_client() > before + 1'500'000; }));
  world.wire->stop_to_client();
  // The hub looks at all connections at once: when it ends those of a node that came later, it has seen
  // these.
  relay other(world.hub->port());
  world.join(other, "n2", world.make_receiver());
  const auto all = 2 + world.limits.opening_connections;
  REQUIRE(eventually([&] { return other.connections_seen() == all && other.connections_open() == 2; }));
  CHECK(world.node->tocs.waiting() == 0);
  world.wire->rate(0);
  world.wire->resume();
  asked.receive([](delivered& answer) { CHECK_FALSE(answer.answer.failure); },
                [](caf::error& failure) { FAIL(to_string(from_caf(failure))); });
  world.check_tree();
  // Pieces of a connection that had ended would have been sent again.
  CHECK(world.wire->bytes_to_client() < before + tree_bytes + 1'000'000);
  world.wait_for_connections(2);
  world.check_link();
}

TEST_CASE("who joins without a pull or goes on with a TOC that it has opens no further connections") {
  opened world;
  world.start_hub();
  world.wire = std::make_unique<relay>(world.hub->port());
  const auto link = world.link_with(world.node_options("n1", world.wire->port()));
  caf::scoped_actor self(world.system());
  pull_request request{.delivery = 1, .reference = "redis:7"};
  request.toc = toc_id{digest{{std::byte{9}}}};
  auto asked = self->request(link, patience, request, world.node->actor);
  world.session = world.next_joined();
  world.session->pulls.next().answer.deliver(pull_started{});
  asked.receive([](pull_started&) {}, [](caf::error& failure) { FAIL(to_string(from_caf(failure))); });
  REQUIRE(world.session->attached.next().connections == 1);
  request.toc.reset();  // the link is up
  auto again = self->request(link, patience, request, world.node->actor);
  world.session->pulls.next().answer.deliver(pull_started{});
  again.receive([](pull_started&) {}, [](caf::error& failure) { FAIL(to_string(from_caf(failure))); });
  world.check_link();
  CHECK(world.wire->connections_seen() == 2);
}
