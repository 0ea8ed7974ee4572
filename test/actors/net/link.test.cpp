#include "test/actors/net/net_fixture.hpp"

using namespace firstlight;
using namespace firstlight::test;

namespace {

/// A hub, one node, and one pull that the hub has accepted.
struct pulled : net_fixture {
  std::shared_ptr<node_side> node = make_receiver();
  std::shared_ptr<hub_side> session;
  hub_link link;

  explicit pulled(std::uint64_t delivery = 1) {
    start_hub();
    link = start_node("n1");
    pull_request request;
    request.delivery = delivery;
    request.reference = "redis:7";
    request.platform = "linux/amd64";
    request.toc = toc_id{digest{{std::byte{9}}}};
    request.login = std::make_shared<const registry_login>(
        registry_login{"ann", secret_text("hunter2"), secret_text("identity"), secret_text("bearer")});
    // Sent before the link is up: it must travel with the join.
    caf::scoped_actor self(system());
    auto asked = self->request(link, patience, request, node->actor);
    session = next_joined();
    auto got = session->pulls.next();
    CHECK(got.request.reference == "redis:7");
    CHECK(got.request.platform == "linux/amd64");
    CHECK(got.request.toc == request.toc);
    REQUIRE(got.request.login);
    CHECK((*got.request.login == *request.login));
    CHECK(got.request.delivery == delivery);
    pull_started started;
    started.segments = 3;
    started.delivered_bytes = 99;
    got.answer.deliver(started);
    asked.receive([&](pull_started& answer) { CHECK(answer.segments == 3); },
                  [&](caf::error& failure) { FAIL(to_string(from_caf(failure))); });
  }
};

}  // namespace

TEST_CASE("a node that joins hears what the hub signs with") {
  happenings<std::string> heard;  // outlives the loop that calls
  net_fixture world;
  auto hub = world.hub_options();
  hub.signs_with = "a certificate";
  world.start_hub_with(hub);
  auto options = world.node_options("n1", world.hub->port());
  options.hub_signs_with = [&](const std::string& certificate) { heard.push(certificate); };
  world.link_with(std::move(options));
  CHECK(heard.next() == "a certificate");
}

TEST_CASE("a pull made before the link is up reaches the hub with the join and is answered") {
  const pulled both;
}

TEST_CASE("a pull without a login comes without one, and one with too long a login is refused") {
  net_fixture both;
  both.start_hub();
  const auto link = both.start_node("n1");
  const auto node = both.make_receiver();
  auto request = pull_request{.delivery = 1, .reference = "redis:7"};
  caf::scoped_actor self(both.system());
  auto asked = self->request(link, patience, request, node->actor);
  auto got = both.next_joined()->pulls.next();
  CHECK_FALSE(got.request.login);
  got.answer.deliver(pull_started{});
  asked.receive([](const pull_started&) {},
                [](const caf::error& failure) { FAIL(to_string(from_caf(failure))); });
  request.login = std::make_shared<const registry_login>(
      registry_login{"ann", secret_text(std::string(link_limits{}.login_bytes_max + 1, 'x')), {}, {}});
  self->request(link, patience, request, node->actor)
      .receive([](const pull_started&) { FAIL("it was answered"); },
               [](const caf::error& failure) {
                 CHECK(from_caf(failure).detail.find("login_bytes_max") != std::string::npos);
               });
}

TEST_CASE("a segment arrives at its receiver as it was sent and its verdict comes back") {
  pulled both;
  auto sent = make_segment(5, 300'001);  // neither aligned nor a whole number of words
  sent.out_of_turn = true;
  sent.patch_base = content_info{{digest{}}, 12345};
  sent.proofs = {{4, {{1, 9, digest{}}, {0, 3, digest{}}}}};
  const auto outcome = both.ask<delivered>(both.session->link, outgoing_segment{1, sent});
  REQUIRE(outcome);
  CHECK_FALSE(outcome->answer.failure);
  CHECK(outcome->elapsed.count() > 0);
  const auto got = both.node->segments.next();
  CHECK(got.data.out_of_turn);
  CHECK(got.delivery == 1);
  CHECK(got.data.sequence == 5);
  CHECK(got.data.runs == sent.runs);
  CHECK(got.data.bytes == sent.bytes);
  CHECK(got.data.patch_base == sent.patch_base);
  CHECK(got.data.proofs == sent.proofs);
  CHECK(equal_bytes(got.data.frame, sent.frame));
}

TEST_CASE("a frame may outlive its connection and its loop") {
  std::vector<incoming_segment> kept;
  const auto sent = make_segment(1, 100'000);
  {
    pulled both;
    REQUIRE(both.ask<delivered>(both.session->link, outgoing_segment{1, sent}));
    kept.push_back(both.node->segments.next());
  }
  CHECK(equal_bytes(kept.front().data.frame, sent.frame));
}

TEST_CASE("a TOC, a landmark and progress reach the receiver of their delivery") {
  pulled both;
  toc_frame toc;
  toc.part = toc_part::contents;
  toc.bytes = 77;
  toc.frame = make_segment(3, 4099).frame;
  toc.origin.statement = {std::byte{1}, std::byte{2}};
  toc.origin.signature = {std::byte{3}};
  toc.origin.certificate_pem = "-----BEGIN";
  toc.patch_base = toc_id{};
  toc.tables = {{8, 3, {column_form::byte_differences, column_form::words}}, {99, 1, {}}};
  REQUIRE(both.ask<delivered>(both.session->link, outgoing_toc{1, toc}));
  const auto got = both.node->tocs.next().toc;
  CHECK(got.part == toc_part::contents);
  CHECK(got.bytes == 77);
  CHECK(got.origin.statement == toc.origin.statement);
  CHECK(got.origin.signature == toc.origin.signature);
  CHECK(got.origin.certificate_pem == toc.origin.certificate_pem);
  CHECK(got.patch_base == toc.patch_base);
  CHECK(got.tables == toc.tables);
  CHECK(equal_bytes(got.frame, toc.frame));
  caf::anon_send(both.session->link, outgoing_landmark{1, landmark::complete});
  CHECK(both.node->landmarks.next().mark == landmark::complete);
}

TEST_CASE("the hub hears what has arrived, apart from the verdict") {
  pulled both;
  toc_frame toc;
  toc.frame = make_segment(0, 10).frame;
  caf::anon_send(both.session->link, outgoing_toc{1, toc});
  CHECK(both.session->receipts.next() == part_received{1, toc_part::tree});
  toc.part = toc_part::contents;
  caf::anon_send(both.session->link, outgoing_toc{1, toc});
  CHECK(both.session->receipts.next() == part_received{1, toc_part::contents});
  caf::anon_send(both.session->link, outgoing_segment{1, make_segment(5, 10)});
  CHECK(both.session->receipts.next() == part_received{1, 5U});
}

TEST_CASE("a refused segment tells the hub why") {
  pulled both;
  both.node->answer = {error{errc::corrupt, "block 3 of content 1"}};
  const auto outcome = both.ask<delivered>(both.session->link, outgoing_segment{1, make_segment(1, 10)});
  REQUIRE(outcome);
  REQUIRE(outcome->answer.failure);
  CHECK(*outcome->answer.failure == error{errc::corrupt, "block 3 of content 1"});
}

TEST_CASE("a segment of a delivery that nobody waits for is answered as cancelled") {
  pulled both;
  const auto outcome = both.ask<delivered>(both.session->link, outgoing_segment{42, make_segment(1, 10)});
  REQUIRE(outcome);
  REQUIRE(outcome->answer.failure);
  CHECK(outcome->answer.failure->code == errc::cancelled);
}

TEST_CASE("wants and cancellations reach the session") {
  pulled both;
  caf::anon_send(both.link, want{1, {{4, 5, 6}}, urgency::again});
  const auto wanted = both.session->wants.next();
  CHECK(wanted.delivery == 1);
  CHECK(wanted.how == urgency::again);
  CHECK(wanted.runs == std::vector<block_run>{{4, 5, 6}});
  caf::anon_send(both.link, cancel_delivery{1});
  CHECK(both.session->cancels.next().delivery == 1);
}

TEST_CASE("padding is answered, counted and shown in the status") {
  pulled both;
  REQUIRE(both.session->attached.next().connections == 1);
  REQUIRE(both.ask<delivered>(both.session->link, outgoing_padding{300'000}));
  const auto status = both.ask<link_status>(both.link, caf::get_atom::value);
  REQUIRE(status);
  CHECK(status->state == link_state::up);
  CHECK(status->peer == "main");
  CHECK(status->padding_bytes == 300'000);
  CHECK(status->bytes_received == 300'000);
  CHECK(status->round_trip.count() > 0);
}

TEST_CASE("the end of a receiver cancels its delivery at the hub") {
  pulled both;
  caf::anon_send_exit(both.node->actor, caf::exit_reason::user_shutdown);
  CHECK(both.session->cancels.next().delivery == 1);
}
