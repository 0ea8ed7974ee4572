#include "model/utf8.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace firstlight;

TEST_CASE("characters of UTF-8 are told from other bytes") {
  CHECK(utf8_sequence_bytes("") == 0);
  CHECK(utf8_sequence_bytes("ab") == 1);
  CHECK(utf8_sequence_bytes("\xc3\xa4") == 2);
  CHECK(utf8_sequence_bytes("\xe2\x82\xac!") == 3);
  CHECK(utf8_sequence_bytes("\xf0\x9f\x90\xb3") == 4);
  const std::string cut = "\xe2\x82", overlong = "\xc0\xaf", overlong_of_three = "\xe0\x80\xaf",
                    surrogate = "\xed\xa0\x80", too_large = "\xf4\x90\x80\x80", lone = "\x9b";
  for (const auto& bad : {cut, overlong, overlong_of_three, surrogate, too_large, lone})
    CHECK(utf8_sequence_bytes(bad) == 0);
}

TEST_CASE("a text is UTF-8 if all of it is") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("k\xc3\xa4se"));
  CHECK_FALSE(is_utf8("k\xe4se"));
  CHECK_FALSE(is_utf8("k\xc3"));
}
