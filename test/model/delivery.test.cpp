#include "model/delivery.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "model/runs.hpp"
#include "model/want_ahead.hpp"

using namespace firstlight;

namespace {

constexpr block_geometry geometry{4096};
constexpr plan_limits cut{.first_segment_bytes = 16 * 1024,
                          .segment_bytes_max = 64 * 1024,
                          .segment_runs_max = 8,
                          .patch_piece_bytes = 32 * 1024};
constexpr delivery_limits small{.want_segment_bytes = 32 * 1024, .want_ahead_bytes = 8 * 1024};

content_info content(std::uint32_t number, std::uint64_t size) {
  content_info info{{}, size};
  std::memcpy(info.id.root.bytes.data(), &number, sizeof number);
  return info;
}

delivery::contents_ptr contents_of(const std::vector<std::uint64_t>& sizes) {
  std::vector<content_info> contents;
  for (const auto size : sizes)
    contents.push_back(content(static_cast<std::uint32_t>(contents.size()), size));
  return std::make_shared<const std::vector<content_info>>(std::move(contents));
}

delivery make(const delivery::contents_ptr& contents, const content_order& order = {},
              const std::vector<patch_base>& patches = {}, delivery_limits limits = small) {
  const had_contents none;
  auto plan =
      std::make_shared<const bundle_plan>(plan_bundle({*contents, geometry, none, order, patches, cut}));
  return {std::move(plan), contents, geometry, cut, limits};
}

using runs = std::vector<block_run>;

}  // namespace

TEST_CASE("a delivery follows its plan and is done when all is answered") {
  auto d = make(contents_of({40'000}));
  const auto first = d.next();
  REQUIRE(first);
  CHECK(first->sequence == 0);
  CHECK_FALSE(first->out_of_turn);
  CHECK(first->segment.runs == runs{{0, 0, 4}});
  const auto second = d.next();
  const auto third = d.next();
  REQUIRE((second && third));
  CHECK(third->segment.runs == runs{{0, 8, 2}});
  CHECK_FALSE(d.next());
  CHECK_FALSE(d.done());
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(d.answered(i, delivery::answer::stored));
  CHECK(d.done());
  CHECK(d.counters().bytes_answered == 40'000);
  CHECK(d.take_landmarks() == std::vector<landmark>{landmark::guessed, landmark::complete});
}

TEST_CASE("a want overtakes the plan and brings a little of what follows") {
  auto d = make(contents_of({400'000}));
  REQUIRE(d.next());
  REQUIRE(d.want(runs{{0, 50, 1}}, urgency::normal));
  const auto wanted = d.next();
  REQUIRE(wanted);
  CHECK(wanted->out_of_turn);
  CHECK(wanted->segment.runs == runs{{0, 50, 3}});
  const auto planned = d.next();
  CHECK(planned->segment.runs == runs{{0, 4, 4}});
}

TEST_CASE("wants are served first come first served and not twice") {
  auto d = make(contents_of({400'000}));
  REQUIRE(d.want(runs{{0, 60, 1}, {0, 50, 1}}, urgency::normal));
  REQUIRE(d.want(runs{{0, 60, 1}}, urgency::normal));
  CHECK(d.next()->segment.runs == runs{{0, 60, 3}, {0, 50, 3}});
  REQUIRE(d.want(runs{{0, 50, 1}}, urgency::normal));
  CHECK_FALSE(d.next()->out_of_turn);
}

TEST_CASE("each further want of a content brings more of what follows, behind all wants") {
  auto d = make(contents_of({4'000'000, 400'000}));
  const auto blocks_ahead = [&] {
    std::uint32_t blocks = 0;
    for (auto next = d.next(); next && next->segment.runs.front().first >= 100; next = d.next())
      for (const auto& run : next->segment.runs) blocks += run.content == 0 ? run.count : 0;
    return blocks;
  };
  REQUIRE(d.want(runs{{0, 100, 1}}, urgency::normal));
  CHECK(blocks_ahead() == 3);
  REQUIRE(d.want(runs{{0, 200, 1}}, urgency::normal));
  CHECK(blocks_ahead() == 1 + 4);
  REQUIRE(d.want(runs{{0, 300, 1}, {1, 50, 1}}, urgency::normal));
  CHECK(d.next()->segment.runs == runs{{0, 300, 3}, {1, 50, 3}});
  CHECK(d.next()->segment.runs == runs{{0, 303, 6}});
}

TEST_CASE("what is sent because of a want reaches as far as the rule says that scores use as well") {
  CHECK(rc::check([] {
    auto limits = small;
    limits.want_ahead_bytes = geometry.block_bytes * *rc::gen::inRange(0U, 8U);
    auto d = make(contents_of({4'000'000}), {}, {}, limits);
    const auto wants = *rc::gen::inRange(1U, 6U);
    for (std::uint32_t times = 0; times < wants; ++times) {
      const block_run wanted{0, 100 + times * 150, 1};
      RC_ASSERT(d.want(runs{wanted}, urgency::normal).has_value());
      std::uint32_t blocks = 0;
      for (auto next = d.next(); next && next->segment.runs.front().first >= 100; next = d.next())
        for (const auto& run : next->segment.runs) blocks += run.count;
      const auto reach = reach_of_want(limits, geometry, times, 977 - wanted.first - 1);
      RC_ASSERT(blocks == 1 + reach.with + reach.behind);
    }
  }));
}

TEST_CASE("a large want is cut into segments") {
  auto d = make(contents_of({400'000}));
  REQUIRE(d.want(runs{{0, 20, 20}}, urgency::normal));
  CHECK(d.next()->segment.runs == runs{{0, 20, 8}});
  CHECK(d.next()->segment.runs == runs{{0, 28, 8}});
  CHECK(d.next()->segment.runs == runs{{0, 36, 6}});
}

TEST_CASE("a want outside the image is refused and changes nothing") {
  auto d = make(contents_of({40'000}));
  for (const auto& run : runs{{1, 0, 1}, {0, 10, 1}, {0, 0, 11}, {0, 1, 0xffffffff}, {0, 0, 0}}) {
    const auto refused = d.want(runs{{0, 5, 1}, run}, urgency::normal);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::invalid_argument);
  }
  CHECK_FALSE(d.next()->out_of_turn);
  CHECK(d.want(runs(5000, block_run{0, 1, 1}), urgency::normal).error().code == errc::limit_exceeded);
}

TEST_CASE("damaged blocks are repeated without a patch, until the delivery gives up") {
  auto d = make(contents_of({10'000}), {}, {{0, content(9, 9000)}});
  REQUIRE(d.next()->segment.patch_base == content(9, 9000));
  for (std::uint32_t i = 1; i < small.sends_per_block_max; ++i) {
    REQUIRE(d.want(runs{{0, 1, 1}}, urgency::again));
    const auto repeated = d.next();
    REQUIRE(repeated);
    CHECK(repeated->segment.runs == runs{{0, 1, 1}});
    CHECK_FALSE(repeated->segment.patch_base);
  }
  REQUIRE(d.want(runs{{0, 1, 1}}, urgency::again));
  CHECK_FALSE(d.next());
  CHECK(d.counters().blocks_abandoned == 1);
  for (std::uint32_t i = 0; i < d.counters().segments_sent; ++i)
    REQUIRE(d.answered(i, delivery::answer::stored));
  CHECK(d.done());
  CHECK(d.take_landmarks().empty());
}

TEST_CASE("a want inside a patched content brings its whole piece") {
  auto d = make(contents_of({400'000, 100'000}), {}, {{1, content(9, 90'000)}});
  REQUIRE(d.want(runs{{1, 10, 1}}, urgency::normal));
  const auto piece = d.next();
  REQUIRE(piece);
  CHECK(piece->out_of_turn);
  CHECK(piece->segment.patch_base == content(9, 90'000));
  CHECK(piece->segment.runs == runs{{1, 8, 8}});
}

TEST_CASE("a failed segment is sent again except for what a later one carries") {
  auto d = make(contents_of({32 * 1024}));
  REQUIRE(d.next()->segment.runs == runs{{0, 0, 4}});
  REQUIRE(d.want(runs{{0, 2, 1}}, urgency::again));
  REQUIRE(d.next()->segment.runs == runs{{0, 2, 1}, {0, 4, 1}});
  REQUIRE(d.answered(0, delivery::answer::failed));
  const auto repeated = d.next();
  REQUIRE(repeated);
  CHECK(repeated->segment.runs.front() == block_run{0, 0, 2});
  CHECK(std::count(repeated->segment.runs.begin(), repeated->segment.runs.end(), block_run{0, 3, 1}) == 1);
  CHECK(d.counters().segments_failed == 1);
}

TEST_CASE("an answer to what is not in flight is a breach of the protocol") {
  auto d = make(contents_of({10'000}));
  CHECK(d.answered(0, delivery::answer::stored).error().code == errc::protocol);
  REQUIRE(d.next());
  REQUIRE(d.answered(0, delivery::answer::stored));
  CHECK(d.answered(0, delivery::answer::stored).error().code == errc::protocol);
}

TEST_CASE("a landmark waits for every segment before it, repeats included") {
  auto d = make(contents_of({16 * 1024, 16 * 1024}), {{{0, 0, 4}}, 1});
  REQUIRE(d.next());
  REQUIRE(d.next());
  REQUIRE(d.answered(1, delivery::answer::stored));
  CHECK(d.take_landmarks().empty());
  REQUIRE(d.answered(0, delivery::answer::failed));
  CHECK(d.take_landmarks().empty());
  const auto again = d.next();
  REQUIRE(again);
  CHECK(d.take_landmarks().empty());
  REQUIRE(d.answered(again->sequence, delivery::answer::stored));
  CHECK(d.take_landmarks() == std::vector<landmark>{landmark::guessed, landmark::complete});
  CHECK(d.take_landmarks().empty());
}

TEST_CASE(
    "nothing counts as known of a content of which blocks were refused, so that repeats prove themselves") {
  auto d = make(contents_of({8 * 1024, 8 * 1024}));
  while (d.next()) {
  }
  REQUIRE(d.answered(0, delivery::answer::stored));
  const auto before = d.known(0).count();
  REQUIRE(before > 0);
  REQUIRE(d.want(runs{{0, 0, 1}}, urgency::again));
  const auto again = d.next();
  REQUIRE(again);
  REQUIRE(d.answered(again->sequence, delivery::answer::failed));
  CHECK(d.known(0).empty());
}

TEST_CASE("only confirmed blocks count as known") {
  auto d = make(contents_of({32 * 1024}));
  REQUIRE(d.next());
  CHECK(d.known(0).empty());
  REQUIRE(d.answered(0, delivery::answer::stored));
  CHECK(d.known(0).count() == 4);
  CHECK(d.known(0).contains(0, 4));
}

TEST_CASE("a better order changes what has not left") {
  auto d = make(contents_of({64 * 1024, 64 * 1024}));
  REQUIRE(d.next()->segment.runs == runs{{0, 0, 4}});
  d.reorder({{{1, 8, 2}, {0, 0, 5}}, 2});
  CHECK(d.next()->segment.runs == runs{{1, 8, 2}, {0, 4, 1}});
}

TEST_CASE("whatever a node wants, loses and answers, each block arrives and none is sent without need") {
  CHECK(rc::check([] {
    const auto sizes = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(1, 150'000)));
    const auto contents = contents_of(sizes);
    std::vector<patch_base> patches;
    for (std::uint32_t i = 0; i < sizes.size(); i += 3) patches.push_back({i, content(500, 20'000)});
    delivery_limits limits = small;
    limits.sends_per_block_max = 1000;
    auto d = make(contents, {{{0, 0, 3}}, 1}, patches, limits);
    std::map<std::uint32_t, runs> flying;
    std::map<std::uint64_t, int> sends;
    std::map<std::uint64_t, int> excused;
    std::set<std::uint32_t> refused;
    std::vector<landmark> landmarks;
    for (int step = 0; !d.done(); ++step) {
      const auto dice = step < 200 ? *rc::gen::inRange(0, 10) : 9;
      const auto which = *rc::gen::inRange(0U, static_cast<std::uint32_t>(sizes.size()));
      if (dice == 0) {
        const auto block = *rc::gen::inRange(0U, geometry.count(sizes[which]));
        RC_ASSERT(d.want(runs{{which, block, 1}}, urgency::normal).has_value());
      } else if (dice == 1) {
        d.reorder({{{which, 0, 5}}, 1});
      } else if (dice <= 3 && !flying.empty()) {
        for (const auto& run : flying.begin()->second) {
          refused.insert(run.content);
          for (std::uint32_t i = 0; i < run.count; ++i) ++excused[block_key(run.content, run.first + i)];
        }
        RC_ASSERT(d.answered(flying.begin()->first, delivery::answer::failed).has_value());
        flying.erase(flying.begin());
      } else if (auto out = d.next()) {
        for (const auto& run : out->segment.runs)
          for (std::uint32_t i = 0; i < run.count; ++i) ++sends[block_key(run.content, run.first + i)];
        flying.emplace(out->sequence, out->segment.runs);
      } else {
        RC_ASSERT(!flying.empty());
        RC_ASSERT(d.answered(flying.begin()->first, delivery::answer::stored).has_value());
        flying.erase(flying.begin());
      }
      for (const auto mark : d.take_landmarks()) landmarks.push_back(mark);
    }
    for (std::uint32_t i = 0; i < sizes.size(); ++i) {
      RC_ASSERT((refused.contains(i) ? d.known(i).empty() : d.known(i).complete()));
      for (std::uint32_t block = 0; block < geometry.count(sizes[i]); ++block)
        RC_ASSERT(sends[block_key(i, block)] == 1 + excused[block_key(i, block)]);
    }
    RC_ASSERT(landmarks == (std::vector<landmark>{landmark::guessed, landmark::complete}));
    RC_ASSERT(d.counters().bytes_answered == d.counters().bytes_total);
  }));
}
