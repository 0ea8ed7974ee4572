#include "model/unreadable_record.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

TEST_CASE("what cannot be read is told of in one line, whatever its names hold") {
  CHECK(tell_unreadable({}, "the layers", "look").empty());
  CHECK(tell_unreadable({{"a", "odd"}}, "the layers", "look") ==
        "1 of the layers cannot be read (a: odd): look");
  CHECK(tell_unreadable({{"a\n\x1b\xff", "odd"}, {"b", "gone"}}, "the layers", "look") ==
        "2 of the layers cannot be read (a???: odd, ...): look");
}
