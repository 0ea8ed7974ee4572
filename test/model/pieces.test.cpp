#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <random>

#include "model/gathered_frames.hpp"
#include "model/piece_spread.hpp"

using namespace firstlight;

namespace {

constexpr std::uint64_t window = 14'480;
constexpr auto opening = piece_spread::connection_kind::opening;

std::vector<std::byte> numbered(std::uint64_t from, std::uint64_t bytes) {
  std::vector<std::byte> made(bytes);
  for (std::uint64_t i = 0; i < bytes; ++i) made[i] = static_cast<std::byte>((from + i) * 2654435761U >> 13U);
  return made;
}

}  // namespace

TEST_CASE("a frame is spread evenly, with a piece for each connection that is awaited") {
  piece_spread spread(60'000, 1, 0, 6, {});
  const auto first = spread.next({0, 0, window});
  REQUIRE(first);
  CHECK(first->offset == 0);
  CHECK(first->bytes == 4616);  // a thirteenth, a multiple of 8
  CHECK_FALSE(spread.next({1, first->bytes, window}));
  std::uint64_t taken = first->bytes;
  for (int i = 0; i < 6; ++i) {
    spread.arrived();
    const auto piece = spread.next({0, 0, window, opening});
    REQUIRE(piece);
    CHECK(piece->offset == taken);
    taken += piece->bytes;
  }
  CHECK(taken == 60'000);
  CHECK_FALSE(spread.next({0, 0, window}));
}

TEST_CASE("a connection with room takes what is left once a round trip has passed") {
  piece_spread spread(64'000, 1, 0, 8, {});
  const auto first = spread.next({0, 0, window});
  REQUIRE(first);
  spread.answered(*first);
  CHECK(spread.next({1, 7000, window}));
  CHECK_FALSE(spread.next({2, 14'000, window}));
  CHECK_FALSE(spread.over());
}

TEST_CASE("a piece whose connection ended is taken by another one as it was") {
  piece_spread spread(6000, 1, 1, 0, {});
  const auto a = spread.next({0, 0, window});
  const auto b = spread.next({0, 0, window, opening});
  REQUIRE((a && b));
  CHECK(a->bytes == 2000);
  CHECK(b->bytes == 4000);
  CHECK_FALSE(spread.next({0, 0, window}));
  spread.lost(*b);
  CHECK_FALSE(spread.next({1, 12'000, window}));
  CHECK(spread.next({1, a->bytes, window}) == b);
  spread.answered(*a);
  CHECK_FALSE(spread.over());
  spread.answered(*b);
  CHECK(spread.over());
}

TEST_CASE("whatever connections come and go, a frame is sent and put together again") {
  CHECK(rc::check("pieces", [](std::uint32_t seed) {
    std::mt19937 source(seed);
    const auto below = [&](std::uint64_t limit) {
      return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(source);
    };
    const auto frame_bytes = 1 + below(300'000);
    const auto awaited = static_cast<std::uint32_t>(below(10));
    piece_spread spread(frame_bytes, 1, 0, awaited, {});
    piece_gathering gathered(1'000'000, {});
    const auto arrives = [&](const piece_spread::piece& piece) {
      RC_ASSERT(gathered.add(piece.offset, numbered(piece.offset, piece.bytes)).has_value());
    };
    const auto announced_at = below(20);
    std::vector<std::vector<piece_spread::piece>> sent(1);
    for (std::uint64_t step = 0; !spread.over(); ++step) {
      RC_ASSERT(step < 100'000U);
      if (step == announced_at) RC_ASSERT(gathered.expect(frame_bytes).has_value());
      if (sent.size() <= awaited && below(2) == 0) {
        sent.emplace_back();
        spread.arrived();
      }
      for (auto& one : sent) {
        std::uint64_t bytes = 0;
        for (const auto& piece : one) bytes += piece.bytes;
        const auto kind = &one == &sent.front() ? piece_spread::connection_kind::standing : opening;
        if (const auto piece = spread.next({static_cast<std::uint32_t>(one.size()), bytes, window, kind}))
          one.push_back(*piece);
      }
      // It never stands still.
      RC_ASSERT(std::any_of(sent.begin(), sent.end(), [](const auto& one) { return !one.empty(); }));
      const auto which = below(sent.size());
      auto& one = sent[which];
      if (one.empty()) continue;
      const auto piece = one.front();
      one.erase(one.begin());
      // The first one is the bulk connection: its end would be the session's.
      const bool lost = which > 0 && below(4) == 0;
      if (!lost || below(2) == 0) arrives(piece);  // what is lost may have arrived: its answer has not
      lost ? spread.lost(piece) : spread.answered(piece);
    }
    if (!gathered.whole()) RC_ASSERT(gathered.expect(frame_bytes).has_value());
    RC_ASSERT(gathered.whole());
    const auto whole = gathered.take();
    const auto expected = numbered(0, frame_bytes);
    RC_ASSERT(std::equal(whole.bytes.begin(), whole.bytes.end(), expected.begin(), expected.end()));
  }));
}

TEST_CASE("pieces that do not fit are refused and change nothing") {
  piece_gathering frame(1000, {});
  CHECK(frame.add(8, numbered(8, 8)));
  const auto refused = [&](std::uint64_t offset, std::uint64_t bytes) {
    const auto added = frame.add(offset, numbered(offset, bytes));
    return !added && added.error().code == errc::protocol;
  };
  CHECK(refused(0, 9));
  CHECK(refused(15, 4));
  CHECK(refused(8, 4));
  CHECK(refused(9, 2));
  CHECK(refused(999, 2));
  CHECK(refused(1001, 1));
  CHECK(refused(~std::uint64_t{0}, 8));
  CHECK(refused(0, 0));
  CHECK_FALSE(frame.expect(15));
  CHECK_FALSE(frame.expect(1001));
  CHECK_FALSE(frame.expect(0));
  CHECK(frame.expect(16));
  CHECK_FALSE(frame.expect(16));
  CHECK(refused(16, 1));
  CHECK_FALSE(frame.whole());
  CHECK(frame.add(8, numbered(8, 8)));  // again
  CHECK(frame.add(0, numbered(0, 8)));
  CHECK(frame.whole());
}

TEST_CASE("a frame in too many pieces is refused") {
  piece_gathering frame(5120, {});
  std::uint64_t taken = 0;
  while (taken < 100 && frame.add(2 * taken, numbered(2 * taken, 1))) ++taken;
  CHECK(taken == 11);
}

TEST_CASE("frames that come in pieces at once are limited together") {
  gathered_frames frames(1000, {.least_piece_bytes = 100, .frames_max = 3});
  const auto name = [](std::uint64_t delivery) {
    return gathered_frames::frame_of{delivery, toc_part::tree};
  };
  const auto refused = [](const result<void>& outcome) {
    return !outcome && outcome.error().code == errc::limit_exceeded;
  };
  SECTION("their bytes") {
    CHECK(frames.add(name(1), 0, numbered(0, 600)));
    CHECK(frames.add(name(1), 0, numbered(0, 600)));  // again
    CHECK(frames.add(name(2), 0, numbered(0, 300)));
    CHECK(frames.expect(name(1), 600));
    REQUIRE(frames.take(name(1)));
    CHECK(frames.add(name(3), 0, numbered(0, 700)));
    CHECK(refused(frames.add(name(2), 300, numbered(300, 8))));
    frames.clear();
    CHECK(frames.add(name(2), 0, numbered(0, 1000)));
  }
  SECTION("how many they are") {
    for (std::uint64_t piece = 0; piece < 10; ++piece)
      CHECK(frames.add(name(1 + piece % 2), 2 * piece, numbered(2 * piece, 1)));
    CHECK(refused(frames.add(name(1), 20, numbered(20, 1))));
  }
  SECTION("how many have begun") {
    for (std::uint64_t delivery = 1; delivery <= 3; ++delivery) CHECK(frames.expect(name(delivery), 8));
    CHECK(refused(frames.add(name(4), 0, numbered(0, 8))));
    CHECK(refused(frames.expect({1, toc_part::contents}, 8)));
    CHECK(frames.add(name(1), 0, numbered(0, 8)));
    REQUIRE(frames.take(name(1)));
    CHECK(frames.add(name(4), 0, numbered(0, 8)));
  }
}

TEST_CASE("a frame is taken once, and its pieces may come again") {
  gathered_frames frames(1000, {});
  const gathered_frames::frame_of tree{1, toc_part::tree};
  CHECK_FALSE(frames.take(tree));
  CHECK(frames.add(tree, 0, numbered(0, 16)));
  CHECK_FALSE(frames.take(tree));
  CHECK(frames.expect(tree, 16));
  const auto whole = frames.take(tree);
  REQUIRE(whole);
  CHECK(whole->bytes.size() == 16);
  CHECK(frames.add(tree, 8, numbered(8, 8)));
  CHECK_FALSE(frames.take(tree));
  const auto again = frames.expect(tree, 16);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == errc::protocol);
}

TEST_CASE("of the frames that were whole the latest are known") {
  gathered_frames frames(1000, {.whole_known_max = 2});
  for (std::uint64_t delivery = 1; delivery <= 3; ++delivery) {
    const gathered_frames::frame_of tree{delivery, toc_part::tree};
    CHECK(frames.expect(tree, 8));
    CHECK(frames.add(tree, 0, numbered(0, 8)));
    REQUIRE(frames.take(tree));
  }
  CHECK_FALSE(frames.expect({3, toc_part::tree}, 8));
  CHECK_FALSE(frames.expect({2, toc_part::tree}, 8));
  CHECK(frames.expect({1, toc_part::tree}, 8));
}
