#include "test/actors/net/net_fixture.hpp"
#include "test/harness/eventually.hpp"
#include "test/harness/relay.hpp"

using namespace firstlight;
using namespace firstlight::test;

namespace {

constexpr std::size_t question_bytes = 1U << 20U;

/// A hub and a node that has joined through a relay.
struct relayed_node : net_fixture {
  std::unique_ptr<relay> wire;
  hub_link link;
  std::shared_ptr<hub_side> session;

  relayed_node() {
    // The hub looks four times in each silence, and the node gives up a hub that is silent for so long.
    limits.silence_max = 4s;
    limits.queue_wait_max = 300ms;
    limits.bulk_connections_without_bbr = 1;
  }
  void join() {
    start_hub();
    wire = std::make_unique<relay>(hub->port());
    link = link_with(node_options("n1", wire->port()));
    session = next_joined();
    REQUIRE(ask<link_status>(link, caf::join_atom_v));
  }
  /// Sends them without waiting for an answer.
  void send_questions(std::uint32_t count) const {
    const auto question = make_segment(1, question_bytes).frame;
    for (std::uint32_t i = 0; i < count; ++i) caf::anon_send(link, peer_question{question});
  }
};

}  // namespace

TEST_CASE("a node that speaks and does not take what is sent is given up, and what waited for it is freed") {
  relayed_node world;
  world.join();
  world.session->attached.next();
  world.wire->stop_to_client();
  std::vector<std::weak_ptr<const void>> queued;
  const auto large = [&](std::uint32_t sequence) {  // more than the kernel takes for a reader that does not
    auto data = make_segment(sequence, 16U << 20U);
    queued.push_back(data.frame.owner);
    return outgoing_segment{1, std::move(data)};
  };
  caf::anon_send(world.session->link, large(1));
  caf::anon_send(world.session->link, large(2));
  caf::scoped_actor self(world.system());
  self->request(world.session->link, patience, large(3))
      .receive([](delivered&) { FAIL("delivered"); },
               [](caf::error& failure) {
                 CHECK(from_caf(failure).code == errc::unavailable);
                 CHECK(from_caf(failure).detail == "it does not take what is sent");
               });
  world.session->ended.next();
  for (const auto& one : queued) CHECK(eventually([&] { return one.expired(); }));
  world.wire->resume();
  CHECK(world.next_joined()->who.name == "n1");
}

TEST_CASE("the hub reads no further while a node does not take its answers") {
  relayed_node world;
  world.limits.replies_queued_max = 4;
  world.limits.call_words_in_flight_max = question_bytes / 8;
  world.join();
  world.wire->stop_to_client();
  constexpr std::uint32_t count = 96;
  world.send_questions(count);
  world.session->ended.next();
  const auto read = world.session->questions.load();
  CHECK(read > world.limits.replies_queued_max);
  CHECK(read < count / 2);  // the kernel holds a few answers too
}

TEST_CASE("the hub reads no further while the calls that it has not answered are too large together") {
  relayed_node world;
  constexpr std::uint32_t in_flight = 4;
  world.limits.silence_max = 1s;  // ends the session: what is not read is not heard
  world.limits.call_words_in_flight_max = in_flight * question_bytes / 8;
  world.join();
  world.session->keeps_questions = true;
  world.send_questions(8 * in_flight);
  world.session->ended.next();
  const auto read = world.session->questions.load();
  CHECK(read >= 1);
  CHECK(read <= in_flight + 1);
}
