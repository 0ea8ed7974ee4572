#include "model/base64.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

using namespace firstlight;

TEST_CASE("base64 is that of RFC 4648") {
  CHECK(base64_encode("").empty());
  CHECK(base64_encode("f") == "Zg==");
  CHECK(base64_encode("fo") == "Zm8=");
  CHECK(base64_encode("foo") == "Zm9v");
  CHECK(base64_encode("foobar") == "Zm9vYmFy");
  CHECK(base64_decode("Zm8=").value() == "fo");
  for (const auto* bad : {"Zg=", "Zg", "Z===", "Z=g=", "Zm8\n", "Zm9-", "===="})
    CHECK(base64_decode(bad).error().code == errc::corrupt);
}

TEST_CASE("what was encoded is decoded to the same, and what is decoded was valid") {
  CHECK(rc::check([](const std::string& text) {
    RC_ASSERT(base64_decode(base64_encode(text)).value() == text);
    static_cast<void>(base64_decode(text));
  }));
}
