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

TEST_CASE("a command is about the first of what cannot be read") {
  CHECK(tell_to_forget({{"a", "odd"}}, "drop a") == "; to forget it: drop a");
  CHECK(tell_to_forget({{"a", "odd"}, {"b", "odd"}}, "drop a") == "; to forget the first: drop a");
}

TEST_CASE("what cannot be read is found by its name, and by what is shown of it") {
  const std::vector<unreadable_record> records{{"a\n", "odd"}, {"a?", "odd"}, {"b", "gone"}};
  CHECK(find_unreadable(records, "b") == &records[2]);
  CHECK(find_unreadable(records, "a?") == &records[1]);
  CHECK(find_unreadable(records, "a\n") == &records[0]);
  CHECK(find_unreadable({records.begin(), records.begin() + 1}, "c") == nullptr);
  const std::vector<unreadable_record> one{{"a\xff", "odd"}};
  CHECK(find_unreadable(one, "a?") == &one[0]);
}
