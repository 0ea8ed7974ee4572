#include "actors/node/filter_pattern.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

constexpr std::uint32_t memory = 1U << 20U;

bool matches(const std::string& expression, std::string_view text) {
  return compile_filter_pattern(expression, memory).value()(text);
}

}  // namespace

TEST_CASE("a pattern of a filter matches anywhere in a text, as containerd's do") {
  CHECK(matches("b", "abc"));
  CHECK_FALSE(matches("^b", "abc"));
  CHECK(matches("^k8s\\.io/[0-9]+/sha256:[[:xdigit:]]+$", "k8s.io/12/sha256:0aF"));
  CHECK(matches("(?i)ABC", "xabcx"));
  CHECK(matches("\\bweb\\b", "default/web/3"));
  CHECK(matches("", ""));
}

TEST_CASE("what is no regular expression is refused, and what takes too much memory") {
  CHECK(compile_filter_pattern("(", memory).error().code == errc::invalid_argument);
  CHECK(compile_filter_pattern("a(?=b)", memory).error().code == errc::invalid_argument);
  const auto huge = compile_filter_pattern("((a{1,100}){1,10}b){1,1000}", memory);
  REQUIRE_FALSE(huge.has_value());
  const auto large = compile_filter_pattern("[a-z]{900}[0-9]{900}", 4096);
  CHECK(large.error().code == errc::limit_exceeded);
}

TEST_CASE("a pattern that would keep a backtracking matcher busy for years ends at once") {
  CHECK_FALSE(matches("^(a+)+$", std::string(4000, 'a') + "b"));
}
