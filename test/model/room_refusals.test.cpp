#include "model/room_refusals.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

instant at(int second) {
  return instant(std::chrono::seconds(second));
}

digest image(std::uint8_t number) {
  digest id;
  id.bytes[0] = std::byte{number};
  return id;
}

const store_room forty_left{.bytes_max = 100, .stored = 60};

}  // namespace

TEST_CASE("an image that had no room is known for its time, and then tried again") {
  room_refusals refusals({.remembered_for = std::chrono::seconds(10)});
  CHECK_FALSE(refusals.find("a", forty_left, at(1)));
  const room_need need{image(1), 50};
  refusals.note("a", need, at(1));
  CHECK(refusals.find("a", forty_left, at(1)) == need);
  CHECK(refusals.find("a", forty_left, at(10)) == need);
  CHECK_FALSE(refusals.find("b", forty_left, at(10)));
  CHECK_FALSE(refusals.find("a", forty_left, at(11)));
  CHECK(refusals.size() == 0);
}

TEST_CASE(
    "an image that had no room is forgotten at once when something was removed or the limit is higher") {
  const auto room =
      GENERATE(store_room{.bytes_max = 100, .stored = 50}, store_room{.bytes_max = 110, .stored = 60},
               store_room{.bytes_max = 0, .stored = 60});
  room_refusals refusals;
  refusals.note("a", {image(1), 50}, at(1));
  CHECK_FALSE(refusals.find("a", room, at(2)));
  CHECK_FALSE(refusals.find("a", forty_left, at(3)));
}

TEST_CASE("what is removed and makes too little room changes nothing") {
  room_refusals refusals;
  refusals.note("a", {image(1), 50}, at(1));
  CHECK(refusals.find("a", {.bytes_max = 100, .stored = 51}, at(2)));
}

TEST_CASE("a later refusal replaces the earlier one of the same reference") {
  room_refusals refusals({.remembered_for = std::chrono::seconds(10)});
  refusals.note("a", {image(1), 50}, at(1));
  refusals.note("a", {image(2), 70}, at(9));
  CHECK(refusals.find("a", {.bytes_max = 100, .stored = 40}, at(15)) == room_need{image(2), 70});
}

TEST_CASE("of too many images that had no room the one refused longest ago is forgotten") {
  room_refusals refusals({.images_max = 2});
  refusals.note("a", {image(1), 50}, at(2));
  refusals.note("b", {image(2), 50}, at(1));
  refusals.note("c", {image(3), 50}, at(3));
  CHECK(refusals.size() == 2);
  CHECK(refusals.find("a", forty_left, at(4)));
  CHECK_FALSE(refusals.find("b", forty_left, at(4)));
}

TEST_CASE("without time or places nothing is remembered") {
  room_refusals no_time({.remembered_for = std::chrono::seconds(0)});
  no_time.note("a", {image(1), 50}, at(1));
  CHECK_FALSE(no_time.find("a", forty_left, at(1)));
  room_refusals no_places({.images_max = 0});
  no_places.note("a", {image(1), 50}, at(1));
  CHECK(no_places.size() == 0);
}
