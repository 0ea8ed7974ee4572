#include "storage/content_hasher.hpp"

#include <catch2/catch.hpp>

#include "test/storage/store_fixture.hpp"

using namespace firstlight;

TEST_CASE(
    "a content that is only hashed gets the id that the store would give it, in whatever parts it comes") {
  const auto size =
      GENERATE(std::size_t{1}, std::size_t{default_block_bytes}, std::size_t{default_block_bytes} * 3 + 5);
  const auto part = GENERATE(std::size_t{7'001}, std::size_t{default_block_bytes}, std::size_t{100'000});
  CAPTURE(size, part);
  const auto bytes = some_bytes(size, 1);
  content_hasher hasher;
  for (std::size_t at = 0; at < size; at += part)
    hasher.append(bytes_view(bytes).subspan(at, std::min(part, size - at)));
  CHECK(hasher.finish() == info_of(bytes));
}
