#include <catch2/catch.hpp>

#include "test/actors/root_bench.hpp"

/// Pulls of a node's root whose clients give up, and images that containerd gives up.
using namespace firstlight;

TEST_CASE("a delivery ends when the only one who asked for it gives up") {
  root_bench all;
  const auto client = make_client(all.stage);
  all.pull(client);
  REQUIRE(all.link->pulls.size() == 1);
  const auto ended = all.end_of_delivery();
  all.give_up(client);
  CHECK(*ended);
  all.pull(client);
  CHECK(all.link->pulls.size() == 2);  // anew
}

TEST_CASE("a delivery goes on when somebody else has asked for it too") {
  root_bench all;
  const auto client = make_client(all.stage);
  all.pull(client);
  const auto ended = all.end_of_delivery();
  all.pull(make_client(all.stage));
  all.give_up(client);
  CHECK_FALSE(*ended);
}

TEST_CASE("a delivery ends when all give up who have asked for it, but not with a user's") {
  root_bench all;
  const auto first = make_client(all.stage);
  const auto second = make_client(all.stage);
  all.pull(first, asker::containerd);
  all.pull(second, asker::containerd);
  CHECK(all.link->pulls.size() == 1);
  const auto ended = all.end_of_delivery();
  SECTION("both of containerd's") {
    all.give_up(first);
    CHECK_FALSE(*ended);
    all.give_up(first);
    CHECK_FALSE(*ended);
    all.give_up(second);
    CHECK(*ended);
  }
  SECTION("a user's besides") {
    all.pull(make_client(all.stage));
    all.give_up(first);
    all.give_up(second);
    CHECK_FALSE(*ended);
  }
}

TEST_CASE("the end of a delivery is not that of the one that runs by now") {
  root_bench all;
  all.pull(make_client(all.stage));
  const auto ended = all.end_of_delivery();
  receiver_report earlier;
  earlier.reference = all.name.reference;
  earlier.platform = all.name.platform;
  earlier.phase = GENERATE(delivery_phase::failed, delivery_phase::complete);
  caf::anon_send(all.root, delivery_ended{earlier, make_client(all.stage).address()});
  all.stage.run();
  CHECK_FALSE(*ended);
  all.pull(make_client(all.stage));
  CHECK(all.link->pulls.size() == 1);
}

TEST_CASE("an image that nobody but containerd has asked for is containerd's") {
  root_bench all;
  const auto user = make_client(all.stage);
  SECTION("until a user asks for it too") {
    all.pull(make_client(all.stage), asker::containerd);
    CHECK(all.is_held());
    all.pull(user);
    CHECK_FALSE(all.is_held());
  }
  SECTION("but not while it arrives for a user") {
    all.pull(user);
    all.pull(make_client(all.stage), asker::containerd);
    CHECK_FALSE(all.is_held());
  }
  SECTION("nor if it is here for a user") {
    all.put_record();
    all.pull(make_client(all.stage), asker::containerd);
    CHECK_FALSE(all.is_held());
  }
}

TEST_CASE("an image that containerd gives up is forgotten, but for what users have asked for") {
  root_bench all;
  all.put_record();
  CHECK(all.forget().error().code == errc::failed_precondition);
  CHECK(all.is_here());
  REQUIRE(all.node.catalogue->hold_for_containerd(all.name));
  CHECK(all.forget());
  CHECK_FALSE(all.is_here());
  CHECK_FALSE(all.is_held());
}

TEST_CASE("an image that is arriving is not forgotten, one that never came is not containerd's any more") {
  root_bench all;
  const auto client = make_client(all.stage);
  all.pull(client, asker::containerd);
  CHECK(all.forget().error().code == errc::busy);
  CHECK(all.is_held());
  all.give_up(client);
  CHECK(all.forget().error().code == errc::not_found);
  CHECK_FALSE(all.is_held());
}

TEST_CASE("a delivery that another one asked for first does not end with who joined it") {
  root_bench all;
  const auto client = make_client(all.stage);
  all.pull(make_client(all.stage));
  const auto ended = all.end_of_delivery();
  all.pull(client);
  all.give_up(client);
  CHECK_FALSE(*ended);
  CHECK(all.link->pulls.size() == 1);
}
