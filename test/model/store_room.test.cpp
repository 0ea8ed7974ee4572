#include "model/store_room.hpp"

#include <catch2/catch.hpp>
#include <limits>

using namespace firstlight;

TEST_CASE("a store has room up to its limit and not a byte further") {
  const store_room room{.bytes_max = 100, .stored = 60};
  CHECK(room.left() == 40);
  CHECK(room.has(40));
  CHECK_FALSE(room.has(41));
}

TEST_CASE("a store above a limit that was lowered has no room, and one without a limit always has") {
  const store_room above{.bytes_max = 100, .stored = 160};
  CHECK(above.left() == 0);
  CHECK(above.has(0));
  CHECK_FALSE(above.has(1));
  const store_room unlimited{.bytes_max = 0, .stored = 160};
  CHECK(unlimited.has(std::numeric_limits<std::uint64_t>::max()));
  CHECK_FALSE(unlimited.is_too_small_for(std::numeric_limits<std::uint64_t>::max()));
}

TEST_CASE("a file that is larger than all that is stored cannot be there") {
  const store_room room{.bytes_max = 100, .stored = 60};
  CHECK(room.may_hold(60));
  CHECK_FALSE(room.may_hold(61));
}

TEST_CASE("an image is refused unread only if its layers are larger than the whole store") {
  const store_room full{.bytes_max = 100, .stored = 100};
  CHECK_FALSE(full.is_too_small_for(100));  // all of it may be there
  CHECK(full.is_too_small_for(101));
  const store_room above{.bytes_max = 100, .stored = 160};
  CHECK_FALSE(above.is_too_small_for(101));
}

TEST_CASE("who has no room is told the limit and what to do") {
  const auto said = store_room{.bytes_max = 3'000'000, .stored = 0}.no_room();
  CHECK(said.code == errc::no_space);
  CHECK(said.detail.find("store_bytes_max (3.0 MB)") != std::string::npos);
  CHECK(said.detail.find("'firstlight image rm'") != std::string::npos);
}
