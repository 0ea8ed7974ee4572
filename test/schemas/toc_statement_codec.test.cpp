#include "schemas/toc_statement_codec.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {
toc_statement sample() {
  toc_statement statement;
  statement.toc.value.bytes.fill(std::byte{7});
  statement.manifest_digest.bytes.fill(std::byte{9});
  statement.reference = "registry.example/redis:7";
  statement.signed_at = 1'700'000'000;
  return statement;
}
}  // namespace

TEST_CASE("a statement comes back from its bytes as it was") {
  const auto decoded = decode_toc_statement(encode_toc_statement(sample()));
  REQUIRE(decoded);
  CHECK(*decoded == sample());
}

TEST_CASE("equal statements give equal bytes") {
  CHECK(encode_toc_statement(sample()) == encode_toc_statement(sample()));
}

TEST_CASE("a cut statement is corrupt at every length") {
  const auto bytes = encode_toc_statement(sample());
  for (std::size_t length = 0; length < bytes.size(); length += 8) {
    const auto decoded = decode_toc_statement(bytes_view(bytes.data(), length));
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == errc::corrupt);
  }
}
