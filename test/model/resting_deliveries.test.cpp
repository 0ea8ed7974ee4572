#include "model/resting_deliveries.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace firstlight;

namespace {

using deliveries = resting_deliveries<int, std::string>;

}  // namespace

TEST_CASE("a delivery may write from its start until it rests, and from then on when it is woken") {
  deliveries all;
  CHECK_FALSE(all.any_writes());
  all.begin(1);
  CHECK(all.any_writes());
  CHECK(all.rest(1, "half"));
  CHECK_FALSE(all.any_writes());
  CHECK(all.rests(1));
  REQUIRE(all.arrived(1) != nullptr);
  CHECK(*all.arrived(1) == "half");
  all.wake(1);
  CHECK(all.any_writes());
  CHECK_FALSE(all.rests(1));
  CHECK(all.arrived(1) == nullptr);
}

TEST_CASE("what has arrived for a delivery that rests may be nothing, and is what it said last") {
  deliveries all;
  all.begin(1);
  CHECK(all.rest(1, std::nullopt));
  CHECK(all.rests(1));
  CHECK(all.arrived(1) == nullptr);
  CHECK(all.rest(1, "half"));
  REQUIRE(all.arrived(1) != nullptr);
  CHECK(*all.arrived(1) == "half");
}

TEST_CASE("a delivery that has ended neither rests nor writes, whatever comes late from it") {
  deliveries all;
  CHECK_FALSE(all.end(1));
  all.begin(1);
  CHECK(all.end(1));
  CHECK(all.empty());
  CHECK_FALSE(all.rest(1, "half"));
  all.wake(1);
  CHECK_FALSE(all.rests(1));
  CHECK(all.arrived(1) == nullptr);
  CHECK_FALSE(all.any_writes());
  CHECK(all.empty());
}

TEST_CASE("some delivery may write just when one that has begun neither rests nor has ended") {
  CHECK(rc::check([] {
    deliveries all;
    std::set<int> begun;
    std::set<int> writing;
    for (const auto action : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4))) {
      const auto one = *rc::gen::inRange(0, 3);
      const bool lives = begun.contains(one);
      if (action == 0 && !lives) {
        all.begin(one);
        begun.insert(one);
        writing.insert(one);
      } else if (action == 1) {
        RC_ASSERT(all.end(one) == lives);
        begun.erase(one);
        writing.erase(one);
      } else if (action == 2) {
        RC_ASSERT(all.rest(one, "some") == lives);
        writing.erase(one);
      } else if (action == 3) {
        all.wake(one);
        if (lives) writing.insert(one);
      }
      RC_ASSERT(all.any_writes() == !writing.empty());
      RC_ASSERT(all.empty() == begun.empty());
      RC_ASSERT(all.rests(one) == (begun.contains(one) && !writing.contains(one)));
      RC_ASSERT((all.arrived(one) != nullptr) == all.rests(one));
    }
  }));
}
