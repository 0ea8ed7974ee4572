#include "schemas/json.hpp"

#include <catch2/catch.hpp>

namespace firstlight::detail {
namespace {

std::string nested(int depth) {
  std::string text = "{\"a\":";
  for (int i = 1; i < depth; ++i) text += i % 2 == 0 ? "{\"a\":" : "[";
  text += "1";
  for (int i = depth - 1; i >= 1; --i) text += i % 2 == 0 ? "}" : "]";
  return text + "}";
}

}  // namespace

TEST_CASE("JSON of 64 levels is read, of one more it is refused") {
  CHECK(parse_json_object(nested(64), "it"));
  const auto deeper = parse_json_object(nested(65), "it");
  REQUIRE_FALSE(deeper);
  CHECK(deeper.error().code == errc::corrupt);
  CHECK(deeper.error().detail == "it is nested too deeply");
}

TEST_CASE("brackets inside of JSON texts nest nothing, and quotes that are escaped end none") {
  const std::string brackets(200, '[');
  CHECK(parse_json_object("{\"a\":\"" + brackets + "\"}", "it"));
  CHECK(parse_json_object(R"({"a":"\"[)" + brackets + R"(\\"})", "it"));
  CHECK_FALSE(parse_json_object(R"({"a":"\\",)" + brackets, "it"));
}

TEST_CASE("what is no JSON object is refused") {
  for (const auto* text : {"", "[]", "1", "{", "{]", "]]]]{}", "{\"a\":1}x", "{\"a\":\"\\"})
    CHECK(parse_json_object(text, "it").error().detail == "it is no JSON object");
}

TEST_CASE("a JSON list of a million objects is read in one pass") {
  // In the square of the length this would take half an hour.
  std::string text = "{\"a\":[{}";
  for (int i = 1; i < 1'000'000; ++i) text += ",{}";
  CHECK(parse_json_object(text + "]}", "it").value()["a"].size() == 1'000'000);
}

}  // namespace firstlight::detail
