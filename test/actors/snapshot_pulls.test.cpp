#include <catch2/catch.hpp>

#include "test/actors/root_bench.hpp"

/// Pulls that containerd's snapshotter waits for, while the link to the hub comes and goes.
using namespace firstlight;
using namespace std::chrono_literals;

namespace {

/// A root without a link to the hub.
struct pull_bench : root_bench {
  using answer = actor_stage::answer<admin_message>;

  progress_listener client = make_client(stage);
  progress_listener another = make_client(stage);

  answer pull_for_containerd() { return pull(client, asker::containerd); }
  answer pull_for_another() { return pull(another, asker::containerd); }

  /// There is a new link. Nobody has been told.
  void link_up() {
    link->status.reconnects += link->status.state == link_state::up ? 1 : 0;
    link->status.state = link_state::up;
  }
  /// Tells the one who has waited for the link since then.
  void tell_linked(std::size_t waiter) {
    link->act([&] { link->joining.at(waiter).deliver(link->status); });
  }
};

errc code_of(const pull_bench::answer& answer) {
  REQUIRE(*answer);
  REQUIRE_FALSE((*answer)->has_value());
  return (*answer)->error().code;
}

}  // namespace

TEST_CASE("a pull of containerd's waits for a hub that is away, and begins anew when it is there") {
  pull_bench all;
  const auto answer = all.pull_for_containerd();
  all.refuse_delivery();
  REQUIRE(all.link->joining.size() == 1);
  all.link->act([&] { all.link->joining.back().deliver(to_caf({errc::timed_out, "no link"})); });
  REQUIRE(all.link->joining.size() == 2);
  all.link_up();
  all.tell_linked(1);
  CHECK(all.link->pulls.size() == 2);
  CHECK(all.is_held());
  CHECK_FALSE(*answer);
  all.refuse_delivery();  // and now it is the hub that says so
  CHECK(all.link->joining.size() == 2);
  CHECK(code_of(answer) == errc::unavailable);
}

TEST_CASE("a pull of containerd's does not begin anew when it has been given up") {
  pull_bench all;
  const auto answer = all.pull_for_containerd();
  SECTION("while it waited for the link") {
    all.refuse_delivery();
    REQUIRE(all.link->joining.size() == 1);
    all.give_up(all.client);
    all.link_up();
    all.tell_linked(0);
    CHECK(all.link->pulls.size() == 1);
  }
  SECTION("before it failed") {
    all.give_up(all.client);
    CHECK(all.link->joining.empty());
  }
  CHECK(code_of(answer) == errc::cancelled);
}

TEST_CASE("a pull of containerd's does not wait for a hub that is there and cannot") {
  pull_bench all;
  all.link_up();
  const auto answer = all.pull_for_containerd();
  all.refuse_delivery();
  CHECK(all.link->joining.empty());
  CHECK(all.link->pulls.size() == 1);
  CHECK(code_of(answer) == errc::unavailable);
}

TEST_CASE("a user is told at once that the hub is away") {
  pull_bench all;
  const auto answer = all.pull(all.client);
  all.refuse_delivery();
  CHECK(all.link->joining.empty());
  CHECK(code_of(answer) == errc::unavailable);
}

TEST_CASE("a link that comes up while a pull of containerd's fails is not taken for a hub that refuses") {
  pull_bench all;
  SECTION("there was none before") {}
  SECTION("there was another one before") {
    all.link_up();
  }
  const auto answer = all.pull_for_containerd();
  all.link_up();
  all.refuse_delivery();
  CHECK(all.link->joining.empty());
  CHECK(all.link->pulls.size() == 2);
  CHECK_FALSE(*answer);
  all.refuse_delivery();
  CHECK(all.link->pulls.size() == 2);
  CHECK(code_of(answer) == errc::unavailable);
}

TEST_CASE("a pull of containerd's asks the hub itself when a delivery that it has joined fails") {
  pull_bench all;
  all.pull(all.client);
  all.link_up();  // the delivery has begun without it
  const auto answer = all.pull_for_another();
  CHECK(all.link->pulls.size() == 1);
  all.refuse_delivery();
  CHECK(all.link->pulls.size() == 2);
  CHECK_FALSE(*answer);
}

TEST_CASE("what becomes of one pull of containerd's is nothing to another one of the same image") {
  pull_bench all;
  const auto first = all.pull_for_containerd();
  all.refuse_delivery();
  REQUIRE(all.link->joining.size() == 1);
  const auto second = all.pull_for_another();
  CHECK(all.link->pulls.size() == 2);
  SECTION("the first, given up, does not have the second refused") {
    all.give_up(all.client);
    all.refuse_delivery();
    CHECK(all.link->joining.size() == 2);
    CHECK_FALSE(*second);
  }
  SECTION("the first, given up, does not go on for the second") {
    all.give_up(all.client);
    all.refuse_delivery();
    REQUIRE(all.link->joining.size() == 2);
    all.link_up();
    all.tell_linked(0);
    CHECK(all.link->pulls.size() == 2);
    all.tell_linked(1);
    CHECK(all.link->pulls.size() == 3);
  }
  SECTION("the second, given up, does not end the first") {
    const auto ended = std::make_shared<bool>(false);
    all.link->pulls.back().to->attach_functor([ended] { *ended = true; });
    all.link_up();
    all.tell_linked(0);  // it joins the delivery of the second
    CHECK(all.link->pulls.size() == 2);
    all.give_up(all.another);
    CHECK_FALSE(*ended);
    CHECK_FALSE(*first);
  }
}

TEST_CASE("a pull of containerd's waits for the link for as long as is configured, and no longer") {
  pull_bench all;
  const auto answer = all.pull_for_containerd();
  all.refuse_delivery();
  REQUIRE(all.link->joining.size() == 1);
  all.stage.pass(9'999ms);
  CHECK_FALSE(*answer);
  all.stage.pass(1ms);
  CHECK(code_of(answer) == errc::timed_out);
  all.link_up();
  all.tell_linked(0);
  CHECK(all.link->pulls.size() == 1);
}
