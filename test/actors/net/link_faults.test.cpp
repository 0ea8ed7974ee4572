#include "test/actors/net/net_fixture.hpp"
#include "test/harness/relay.hpp"

using namespace firstlight;
using namespace firstlight::test;

namespace {

using clock_type = std::chrono::steady_clock;

std::chrono::milliseconds since(clock_type::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_type::now() - start);
}

/// A hub, a relay before it, and nodes behind the relay.
struct relayed_fixture : net_fixture {
  std::unique_ptr<relay> wire;

  relayed_fixture() {
    start_hub();
    wire = std::make_unique<relay>(hub->port());
  }
  hub_link relayed_node(const std::string& name) { return link_with(node_options(name, wire->port())); }

  /// A pull that is answered, so that the receiver has a delivery.
  std::shared_ptr<hub_side> pull(const hub_link& link, const std::shared_ptr<node_side>& node,
                                 std::uint64_t delivery) {
    pull_request request;
    request.delivery = delivery;
    caf::scoped_actor self(system());
    auto asked = self->request(link, patience, request, node->actor);
    auto session = next_joined();
    session->pulls.next().answer.deliver(pull_started{});
    asked.receive([](pull_started&) {}, [](caf::error& failure) { FAIL(to_string(from_caf(failure))); });
    return session;
  }

  /// Changes until the link is in this state.
  static link_changed until(node_side& node, link_state wanted) {
    for (;;) {
      auto change = node.changes.next();
      if (change.now == wanted) return change;
    }
  }
};

}  // namespace

TEST_CASE("a cut link fails what is pending at once and joins again by itself") {
  relayed_fixture world;
  const auto node = world.make_receiver();
  const auto link = world.relayed_node("n1");
  const auto session = world.pull(link, node, 1);
  caf::scoped_actor self(world.system());
  pull_request second;
  second.delivery = 2;
  auto asked = self->request(link, patience, second, node->actor);
  const auto held = session->pulls.next();  // the hub never answers it
  const auto start = clock_type::now();
  world.wire->cut();
  asked.receive([](pull_started&) { FAIL("answered"); },
                [](caf::error& failure) { CHECK(from_caf(failure).code == errc::unavailable); });
  CHECK(since(start) < 400ms);
  CHECK_FALSE(world.until(*node, link_state::down).why.empty());
  world.until(*node, link_state::up);
  session->ended.next();
  const auto again = world.next_joined();
  CHECK(again->who.name == "n1");
  const auto status = world.ask<link_status>(link, caf::get_atom::value);
  REQUIRE(status);
  CHECK(status->reconnects == 1);
}

TEST_CASE("segments that wait for their verdict fail when the link is cut") {
  relayed_fixture world;
  const auto node = world.make_receiver();
  const auto session = world.pull(world.relayed_node("n1"), node, 1);
  session->attached.next();
  world.wire->stop();
  caf::scoped_actor self(world.system());
  auto asked = self->request(session->link, patience, outgoing_segment{1, make_segment(1, 1000)});
  world.wire->cut();
  asked.receive([](delivered&) { FAIL("delivered"); },
                [](caf::error& failure) { CHECK(from_caf(failure).code == errc::unavailable); });
}

TEST_CASE("a silent link is noticed by both sides within the limit") {
  relayed_fixture world;
  world.limits.silence_max = 1600ms;  // a busy machine adds much less than half of it
  world.start_hub();
  world.wire->retarget(world.hub->port());
  const auto node = world.make_receiver();
  const auto session = world.pull(world.relayed_node("n1"), node, 1);
  world.wire->stop();
  const auto start = clock_type::now();
  world.until(*node, link_state::down);
  CHECK(since(start) < world.limits.silence_max * 3 / 2);
  session->ended.next();
  CHECK(since(start) < world.limits.silence_max * 7 / 4);  // the hub looks four times in that time
  world.wire->cut();
  world.wire->resume();
  world.next_joined();
}

TEST_CASE("an idle link stays up far longer than the silence limit") {
  relayed_fixture world;
  world.limits.silence_max = 300ms;
  const auto node = world.make_receiver();
  const auto link = world.relayed_node("n1");
  const auto session = world.pull(link, node, 1);
  CHECK_FALSE(session->ended.try_next(10 * world.limits.silence_max));
  const auto status = world.ask<link_status>(link, caf::get_atom::value);
  REQUIRE(status);
  CHECK(status->reconnects == 0);
  CHECK(status->state == link_state::up);
}

TEST_CASE("a restarted hub gets its nodes back, and a pull in between fails with the reason") {
  relayed_fixture world;
  const auto node = world.make_receiver();
  const auto link = world.relayed_node("n1");
  world.pull(link, node, 1);
  world.wire->accept_new(false);
  world.hub.reset();
  world.until(*node, link_state::down);
  const auto refused = world.ask<pull_started>(link, pull_request{2, "x", "", {}}, node->actor);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::unavailable);
  world.start_hub();
  world.wire->retarget(world.hub->port());
  world.wire->accept_new(true);
  const auto again = world.next_joined();
  world.until(*node, link_state::up);
  CHECK(again->who.name == "n1");
}

TEST_CASE("a flipped bit never reaches a receiver: the link is dropped and made anew") {
  relayed_fixture world;
  const auto node = world.make_receiver();
  const auto link = world.relayed_node("n1");
  const auto session = world.pull(link, node, 1);
  session->attached.next();
  world.wire->flip_bit_to_client(50'000);
  const auto outcome = world.ask<delivered>(session->link, outgoing_segment{1, make_segment(1, 200'000)});
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == errc::unavailable);
  CHECK(node->segments.waiting() == 0);
  world.next_joined();
}

TEST_CASE("the trouble of one node is not another's") {
  relayed_fixture world;
  const auto first = world.make_receiver();
  const auto session = world.pull(world.relayed_node("n1"), first, 1);
  const auto second = world.make_receiver();
  const auto other = world.pull(world.start_node("n2"), second, 1);
  world.wire->stop();
  const auto sent = make_segment(1, 100'000);
  REQUIRE(world.ask<delivered>(other->link, outgoing_segment{1, sent}));
  CHECK(equal_bytes(second->segments.next().data.frame, sent.frame));
  session->ended.next();
  REQUIRE(world.ask<delivered>(other->link, outgoing_segment{1, sent}));
  CHECK(other->ended.waiting() == 0);
}

TEST_CASE("a node that is started anew replaces its old session as soon as that is silent") {
  relayed_fixture world;
  world.limits.silence_max = 20s;  // of the old node, which notices nothing
  const auto node = world.make_receiver();
  const auto old = world.pull(world.relayed_node("n1"), node, 1);
  world.wire->stop();
  world.limits.silence_max = 600ms;
  const auto fresh_receiver = world.make_receiver();
  const auto link = world.start_node("n1");
  REQUIRE(world.ask<link_status>(link, caf::join_atom_v));  // it tries until it may
  const auto fresh = world.pull(link, fresh_receiver, 1);
  old->ended.next();
  CHECK(world.ask<delivered>(fresh->link, outgoing_segment{1, make_segment(1, 10)}));
}

TEST_CASE("a second process with the certificate of a node is told so, and the first one stays") {
  relayed_fixture world;
  const auto node = world.make_receiver();
  const auto first = world.pull(world.relayed_node("n1"), node, 1);
  const auto second = world.make_receiver();
  const auto link = world.start_node("n1");
  const auto refused = world.ask<pull_started>(link, pull_request{2, "x", "", {}}, second->actor);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail.find("another process has joined with the certificate of n1") !=
        std::string::npos);
  CHECK(refused.error().detail.find("firstlight pki issue") != std::string::npos);
  CHECK(first->ended.waiting() == 0);
  CHECK(world.ask<delivered>(first->link, outgoing_segment{1, make_segment(1, 10)}));
}

TEST_CASE("a session that ends disconnects its node, which joins again") {
  relayed_fixture world;
  const auto node = world.make_receiver();
  const auto session = world.pull(world.relayed_node("n1"), node, 1);
  caf::anon_send_exit(caf::actor_cast<caf::actor>(session->actor), caf::exit_reason::kill);
  world.until(*node, link_state::down);
  world.next_joined();
}

TEST_CASE("without BBR bulk is striped over several connections") {
  relayed_fixture world;
  world.limits.opening_connections = 0;
  auto options = world.hub_options();
  options.congestion_control = "reno";
  world.start_hub_with(options);
  world.wire->retarget(world.hub->port());
  const auto node = world.make_receiver();
  const auto link = world.relayed_node("n1");
  const auto session = world.pull(link, node, 1);
  while (session->attached.next().connections < world.limits.bulk_connections_without_bbr) {
  }
  CHECK(world.wire->connections_seen() == 1 + world.limits.bulk_connections_without_bbr);
  caf::scoped_actor self(world.system());
  constexpr std::uint32_t count = 32;
  for (std::uint32_t i = 0; i < count; ++i)
    self->send(session->link, outgoing_segment{1, make_segment(i, 100'000)});
  std::uint64_t sequences = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto got = node->segments.next();
    CHECK(equal_bytes(got.data.frame, make_segment(got.data.sequence, 100'000).frame));
    sequences |= std::uint64_t{1} << got.data.sequence;
  }
  CHECK(sequences == 0xffffffffU);
}

TEST_CASE("a large segment passes and one above the limit is refused without harm") {
  relayed_fixture world;
  const auto node = world.make_receiver();
  const auto session = world.pull(world.relayed_node("n1"), node, 1);
  const auto large = make_segment(1, 24U << 20U);
  REQUIRE(world.ask<delivered>(session->link, outgoing_segment{1, large}));
  CHECK(equal_bytes(node->segments.next().data.frame, large.frame));
  const auto refused = world.ask<delivered>(session->link, outgoing_segment{1, make_segment(2, 64U << 20U)});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::limit_exceeded);
  CHECK(world.ask<delivered>(session->link, outgoing_segment{1, make_segment(3, 10)}));
}

TEST_CASE("the first pull costs TCP, TLS and one round trip") {
  relayed_fixture world;
  constexpr auto round_trip = 400ms;  // well above what a busy machine adds
  world.limits.silence_max = 5s;
  world.wire->delay(round_trip / 2);
  world.wire->connects_late(true);
  const auto node = world.make_receiver();
  const auto start = clock_type::now();
  const auto link = world.relayed_node("n1");
  const auto session = world.pull(link, node, 1);
  const auto fresh = since(start);
  INFO("fresh connection: " << fresh.count() << " ms");
  CHECK(fresh >= 3 * round_trip);
  CHECK(fresh < 4 * round_trip);
  const auto again = clock_type::now();
  caf::scoped_actor self(world.system());
  auto asked = self->request(link, patience, pull_request{2, "x", "", {}}, node->actor);
  session->pulls.next().answer.deliver(pull_started{});
  asked.receive([](pull_started&) {}, [](caf::error&) { FAIL("refused"); });
  const auto standing = since(again);
  CHECK(standing >= round_trip);
  CHECK(standing < 2 * round_trip);
}

TEST_CASE("everything ends within a second in every state of a link") {
  auto state = GENERATE(0, 1, 2, 3);
  auto world = std::make_unique<relayed_fixture>();
  const auto node = world->make_receiver();
  std::shared_ptr<hub_side> session;
  caf::scoped_actor self(world->system());
  if (state == 0) world->wire->stop();             // in the handshake
  if (state == 1) world->wire->accept_new(false);  // between attempts
  const auto link = world->relayed_node("n1");
  if (state >= 2) session = world->pull(link, node, 1);
  if (state == 3) {  // calls open both ways
    world->wire->stop();
    self->send(link, pull_request{2, "x", "", {}}, node->actor);
    self->send(session->link, outgoing_segment{1, make_segment(1, 1'000'000)});
  }
  session.reset();
  const auto start = clock_type::now();
  self->send_exit(link, caf::exit_reason::user_shutdown);
  self->wait_for(link);
  world->hub.reset();
  world->node_loop.stop();
  world->hub_loop.stop();
  CHECK(since(start) < 1s);
}
