#include "model/sweep_turns.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

TEST_CASE("images are added side by side, and no sweep begins before the last of them has ended") {
  sweep_turns turns;
  REQUIRE(turns.begin_addition());
  REQUIRE(turns.begin_addition());
  turns.want_sweep();
  CHECK_FALSE(turns.begin_sweep());
  turns.end_addition();
  CHECK_FALSE(turns.begin_removal());
  CHECK_FALSE(turns.begin_wanted_sweep());
  turns.end_addition();
  CHECK(turns.begin_wanted_sweep());
  CHECK(turns.sweeping());
}

TEST_CASE("while a sweep runs no image is added and no other sweep begins") {
  sweep_turns turns;
  REQUIRE(turns.begin_sweep());
  CHECK_FALSE(turns.begin_addition());
  CHECK_FALSE(turns.begin_sweep());
  turns.end_sweep();
  CHECK(turns.begin_addition());
}

TEST_CASE("a sweep begins once for all who wanted one, and again for who wants one while it runs") {
  sweep_turns turns;
  CHECK_FALSE(turns.begin_wanted_sweep());
  turns.want_sweep();
  turns.want_sweep();
  REQUIRE(turns.begin_sweep());
  turns.end_sweep();
  CHECK_FALSE(turns.begin_wanted_sweep());
  REQUIRE(turns.begin_sweep());
  turns.want_sweep();
  turns.end_sweep();
  CHECK(turns.begin_wanted_sweep());
}

TEST_CASE("a look at a known image goes beside a sweep, but no record is removed before it has ended") {
  sweep_turns turns;
  turns.begin_look();
  CHECK_FALSE(turns.begin_removal());
  CHECK(turns.begin_sweep());
  turns.end_look();
  CHECK_FALSE(turns.begin_removal());
  turns.end_sweep();
  CHECK(turns.begin_removal());
  CHECK(turns.sweeping());
}
