#include "schemas/image_record.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;
using namespace std::chrono_literals;

TEST_CASE("an order comes back from its bytes as it was, with and without what is known of its runs") {
  const stored_order guessed{.runs = {{3, 0, 2}, {1, 4, 1}}, .guessed = 1};
  CHECK(decode_order(encode_order(guessed)).value() == guessed);
  auto learned = guessed;
  learned.traces = 7;
  learned.relative = "redis:6";
  learned.positions = {5ms};
  learned.read_percents = {100, 14};
  CHECK(decode_order(encode_order(learned)).value() == learned);
}

TEST_CASE("bytes that are no order are refused") {
  CHECK(decode_order({}).error().code == errc::corrupt);
  auto bytes = encode_order({.runs = {{3, 0, 2}}, .guessed = 1});
  bytes.resize(bytes.size() - 8);
  CHECK(decode_order(bytes).error().code == errc::corrupt);
}
