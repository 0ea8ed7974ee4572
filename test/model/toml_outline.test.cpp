#include "model/toml_outline.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

using namespace firstlight;
using kind = toml_statement::kind;

TEST_CASE("statements are found with their paths, lines and values") {
  const std::string text =
      "# a comment = 1\n"
      "version = 2\n"
      "[plugins.\"io.containerd.grpc.v1.cri\"]  # [not.this]\n"
      "  a.'b c' = [ # ] in a comment\n"
      "    \"]\", { x = 1 } ]\n"
      "\n"
      "[[ list ]]\r\n"
      "text = \"\"\"one\n"
      "[two]\n"
      "three\"\"\"\n"
      "last = 'it''";
  const auto all = outline_toml(text);
  REQUIRE_FALSE(all.has_value());  // the last line
  const auto good = outline_toml(text.substr(0, text.rfind("last")));
  REQUIRE(good.has_value());
  REQUIRE(good->size() == 5);
  CHECK(good->at(0).path == toml_path{"version"});
  CHECK(good->at(0).line == 1);
  CHECK(good->at(1).what == kind::table);
  CHECK(good->at(1).path == toml_path{"plugins", "io.containerd.grpc.v1.cri"});
  CHECK(good->at(2).path == toml_path{"plugins", "io.containerd.grpc.v1.cri", "a", "b c"});
  CHECK(good->at(2).table_depth == 2);
  CHECK(good->at(2).line == 3);
  CHECK(good->at(2).lines == 2);
  CHECK(good->at(3).what == kind::array_of_tables);
  CHECK(good->at(4).path == toml_path{"list", "text"});
  CHECK(good->at(4).lines == 3);
}

TEST_CASE("a value is what stands between the equals sign and the comment") {
  const std::string text = "a =  true \t # why\nb = \"x # y\"# why\n";
  const auto all = outline_toml(text).value();
  const auto value = [&](const toml_statement& one) {
    return text.substr(one.value_begin, one.value_end - one.value_begin);
  };
  CHECK(value(all[0]) == "true");
  CHECK(value(all[1]) == "\"x # y\"");
}

TEST_CASE("any string comes back from its TOML form") {
  CHECK(rc::check([](const std::vector<std::uint8_t>& bytes) {
    std::string text;
    for (const auto byte : bytes) text += static_cast<char>(byte % 95 + 32);
    RC_ASSERT(toml_value_text(toml_string(text)) == text);
    const auto statement = "[" + toml_dotted({"a", text}) + "]\nk = " + toml_string(text) + "\n";
    const auto all = outline_toml(statement);
    RC_ASSERT(all.has_value());
    RC_ASSERT(all->front().path == toml_path({"a", text}));
  }));
  CHECK(toml_string("a\nb") == "\"a\\u000Ab\"");
}

TEST_CASE("no text keeps the outline from an answer") {
  CHECK(rc::check([] {
    const auto text = *rc::gen::container<std::string>(
        rc::gen::element('a', '=', '[', ']', '{', '}', '"', '\'', '#', '\n', '\r', '.', ' ', '\\'));
    const auto all = outline_toml(text);
    if (!all) RC_ASSERT(all.error().code == errc::invalid_argument);
  }));
}
