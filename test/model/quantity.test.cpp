#include "model/quantity.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "model/nearest.hpp"

using namespace firstlight;
using std::chrono::milliseconds;

TEST_CASE("durations and sizes come back from their exact text") {
  CHECK(rc::check([](std::uint32_t value) {
    RC_ASSERT(parse_duration(format_duration(milliseconds(value))).value() == milliseconds(value));
    RC_ASSERT(parse_bytes(format_bytes(value)).value() == value);
  }));
  CHECK(format_duration(milliseconds(90'000)) == "90s");
  CHECK(format_bytes(64U << 20U) == "64MiB");
}

TEST_CASE("a duration needs a unit") {
  CHECK(parse_duration("10s").value() == milliseconds(10'000));
  CHECK(parse_duration("0").value() == milliseconds(0));
  for (const auto* wrong : {"", "10", "s", "-1s", "1.5s", "10 s", "99999999999999999h", "10d"}) {
    INFO(wrong);
    CHECK(parse_duration(wrong).error().code == errc::invalid_argument);
  }
}

TEST_CASE("sizes know binary and decimal units") {
  CHECK(parse_bytes("1MiB").value() == 1'048'576);
  CHECK(parse_bytes("1MB").value() == 1'000'000);
  CHECK(parse_bytes("77").value() == 77);
  CHECK_FALSE(parse_bytes("1mb").has_value());
  CHECK_FALSE(parse_bytes("18446744073709551615KiB").has_value());
}

TEST_CASE("rounded quantities have two or three digits") {
  CHECK(rounded_bytes(0) == "0 B");
  CHECK(rounded_bytes(999) == "999 B");
  CHECK(rounded_bytes(1'440'000) == "1.4 MB");
  CHECK(rounded_bytes(48'300'000) == "48 MB");
  CHECK(rounded_bytes(999'700) == "1.0 MB");
  CHECK(rounded_bytes(UINT64_MAX) == "18 EB");
  CHECK(rounded_duration(milliseconds(83)) == "83 ms");
  CHECK(rounded_duration(milliseconds(2'449)) == "2.4 s");
  CHECK(rounded_duration(milliseconds(192'000)) == "3 min 12 s");
  CHECK(rounded_duration(std::chrono::hours(24)) == "1 d");
}

TEST_CASE("the nearest name is found, and none where none is near") {
  const std::vector<std::string> known{"silence_max", "backoff_max", "listen"};
  CHECK(nearest("silense_max", known) == "silence_max");
  CHECK(nearest("lisen", known) == "listen");
  CHECK(nearest("quite different", known).empty());
  CHECK(edit_distance("kitten", "sitting") == 3);
}
