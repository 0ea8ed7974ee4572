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

TEST_CASE("a pull of containerd's waits for a hub that is away, and begins anew when it is there") {
  root_bench all;
  const auto client = make_client(all.stage);
  const auto no_link = [&] {
    all.link->act([&] {
      all.link->pulls.back().answer.deliver(to_caf({errc::unavailable, "no link to the hub"}));
    });
  };
  const auto comes = [&] {
    all.link->status.state = link_state::up;
    all.link->act([&] { all.link->joining.back().deliver(link_status{}); });
  };
  SECTION("for as long as that takes") {
    all.pull(client, asker::containerd);
    no_link();
    REQUIRE(all.link->joining.size() == 1);
    all.link->act([&] { all.link->joining.back().deliver(to_caf({errc::timed_out, "no link"})); });
    REQUIRE(all.link->joining.size() == 2);
    comes();
    CHECK(all.link->pulls.size() == 2);
    CHECK(all.is_held());
    no_link();  // and now it is the hub that says so
    CHECK(all.link->joining.size() == 2);
  }
  SECTION("but not for ever") {
    all.pull(client, asker::containerd);
    no_link();
    all.give_up(client);
    comes();
    CHECK(all.link->pulls.size() == 1);
  }
  SECTION("nor when it was given up before") {
    all.pull(client, asker::containerd);
    all.give_up(client);
    CHECK(all.link->joining.empty());
  }
  SECTION("nor for a hub that is there and cannot") {
    all.link->status.state = link_state::up;
    all.pull(client, asker::containerd);
    no_link();
    CHECK(all.link->joining.empty());
  }
  SECTION("and a user is told at once") {
    all.pull(client);
    no_link();
    CHECK(all.link->joining.empty());
  }
}
