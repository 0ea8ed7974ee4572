#include "model/learned_order.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <tuple>

#include "model/order_score.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

std::vector<content_info> contents_of(const std::vector<std::uint64_t>& sizes) {
  std::vector<content_info> contents;
  for (const auto size : sizes) {
    contents.push_back({{}, size});
    contents.back().id.root.bytes[0] = static_cast<std::byte>(contents.size());
  }
  return contents;
}

const auto three_files = contents_of({160'000, 160'000, 160'000});

using block = std::pair<std::uint32_t, std::uint32_t>;

std::vector<block> blocks_of(const content_order& order) {
  std::vector<block> blocks;
  for (const auto& run : order.runs)
    for (std::uint32_t i = 0; i < run.count; ++i) blocks.emplace_back(run.content, run.first + i);
  return blocks;
}

/// A start that reads one block after another, one each millisecond.
observed_start reads(const std::vector<block>& blocks, double weight = 1) {
  observed_start start{{}, weight};
  auto when = std::chrono::nanoseconds(0);
  for (const auto& [content, number] : blocks) {
    start.accesses.push_back({content, when, {{number, 1, when, {}}}});
    when += 1ms;
  }
  return start;
}

rc::Gen<observed_start> any_start() {
  return rc::gen::map(
      rc::gen::container<std::vector<std::tuple<std::uint32_t, std::uint32_t, int>>>(
          rc::gen::tuple(rc::gen::inRange(0U, 4U), rc::gen::inRange(0U, 14U), rc::gen::inRange(0, 1000))),
      [](const std::vector<std::tuple<std::uint32_t, std::uint32_t, int>>& all) {
        observed_start start{{}, 1};
        for (const auto& [content, first, when] : all)
          start.accesses.push_back({content,
                                    std::chrono::milliseconds(when),
                                    {{first, 1 + first % 3, std::chrono::milliseconds(when), {}}}});
        return start;
      });
}

}  // namespace

TEST_CASE("one start teaches its own order") {
  const auto order = learn_order(std::vector{reads({{1, 3}, {0, 0}, {0, 1}, {2, 9}})}, three_files, {});
  CHECK(order.runs == std::vector<block_run>{{1, 3, 1}, {0, 0, 2}, {2, 9, 1}});
  CHECK(order.guessed_runs == 3);
}

TEST_CASE("the median start decides, not one that was late") {
  const std::vector starts{reads({{0, 0}, {1, 0}}), reads({{0, 0}, {1, 0}}), reads({{1, 0}, {0, 0}})};
  CHECK(blocks_of(learn_order(starts, three_files, {})) == std::vector<block>{{0, 0}, {1, 0}});
}

TEST_CASE("what few starts read comes last and is not expected") {
  std::vector starts(9, reads({{0, 0}, {0, 5}}));
  starts.push_back(reads({{2, 2}, {0, 0}, {0, 5}}));
  const auto order = learn_order(starts, three_files, {});
  CHECK(blocks_of(order) == std::vector<block>{{0, 0}, {0, 5}, {2, 2}});
  CHECK(order.guessed_runs == 2);
}

TEST_CASE("a start's weight decides how much its reads count") {
  const std::vector starts{reads({{0, 0}}, 10), reads({{1, 0}}, 0.5)};
  const auto order = learn_order(starts, three_files, {});
  CHECK(order.guessed_runs == 1);
  CHECK(order.runs.front().content == 0);
}

TEST_CASE("of each run it is known which share of the starts has read it, by their weight") {
  using percents = std::vector<std::uint8_t>;
  std::vector starts(9, reads({{0, 0}, {0, 5}}));
  starts.push_back(reads({{2, 2}, {0, 0}, {0, 5}}));
  CHECK(learn_order(starts, three_files, {}).read_percents == percents{100, 100, 10});
  CHECK(learn_order(std::vector{reads({{0, 0}}, 10), reads({{1, 0}}, 0.5)}, three_files, {}).read_percents ==
        percents{95, 5});
  // A run counts as its block that most have read, and what anybody has read never as read by nobody.
  const auto order = learn_order(std::vector{reads({{0, 0}, {0, 1}}, 0.001), reads({{0, 1}}, 10)},
                                 three_files, {}, {.likely_share = 0, .opened_bytes_max = 0});
  CHECK(order.runs == std::vector<block_run>{{0, 0, 2}});
  CHECK(order.read_percents == percents{100});
  CHECK(
      learn_order(std::vector{reads({{0, 0}}, 10), reads({{1, 0}}, 0.001)}, three_files, {}).read_percents ==
      percents{100, 1});
}

TEST_CASE("time that was lost waiting for the delivery does not move what comes later") {
  observed_start slow{{{0, 0ms, {{0, 1, 0ms, 500ms}}}, {1, 502ms, {{0, 1, 502ms, 0ms}}}}, 1};
  const auto plain = without_waits(slow);
  CHECK(plain.accesses[0].runs[0].access == 0ms);
  CHECK(plain.accesses[1].access == 2ms);
  CHECK(plain.accesses[1].runs[0].access == 2ms);
}

TEST_CASE("waits at the same time are lost once") {
  observed_start slow{
      {{0, 0ms, {{0, 1, 0ms, 100ms}}}, {1, 10ms, {{0, 1, 10ms, 90ms}}}, {2, 150ms, {{0, 1, 150ms, 0ms}}}}, 1};
  CHECK(without_waits(slow).accesses[2].access == 50ms);
}

TEST_CASE("a wait within another one takes nothing more away, nor less") {
  observed_start slow{
      {{0, 0ms, {{0, 1, 0ms, 10ms}}}, {1, 5ms, {{0, 1, 5ms, 1ms}}}, {2, 30ms, {{0, 1, 30ms, 0ms}}}}, 1};
  CHECK(without_waits(slow).accesses[2].access == 20ms);
}

TEST_CASE("what an opened file without known blocks waited is taken out too") {
  const observed_start slow{{{0, 0ms, {}, 7ms}, {1, 10ms, {}}}, 1};
  CHECK(without_waits(slow).accesses[1].access == 3ms);
}

TEST_CASE("exactly the time in which something waited is taken out, and no order is turned round") {
  CHECK(rc::check([] {
    const auto waits = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 200), rc::gen::inRange(0, 50)));
    const auto when = *rc::gen::inRange(0, 300);
    observed_start start{{}, 1};
    for (const auto& [from, length] : waits)
      start.accesses.push_back({0, from * 1ms, {{0, 1, from * 1ms, length * 1ms}}});
    start.accesses.push_back({1, when * 1ms, {{0, 1, when * 1ms, 0ms}}});
    start.accesses.push_back({2, when * 1ms + 1ms, {{0, 1, when * 1ms + 1ms, 0ms}}});
    int lost = 0;
    for (int at = 0; at < when; ++at)
      lost += std::any_of(waits.begin(), waits.end(),
                          [&](const auto& w) { return w.first <= at && at < w.first + w.second; })
                  ? 1
                  : 0;
    const auto plain = without_waits(start);
    const auto& last = plain.accesses[waits.size()];
    RC_ASSERT(last.access == (when - lost) * 1ms);
    RC_ASSERT(last.access <= plain.accesses[waits.size() + 1].access);
  }));
}

TEST_CASE(
    "a file that was only opened counts with the blocks that others read of it, else with its beginning") {
  observed_start opened{{{0, 5ms, {}}, {1, 6ms, {}}}, 1};
  const auto order = learn_order(std::vector{reads({{2, 1}, {0, 7}}), opened}, three_files, {},
                                 {.likely_share = 0.2, .opened_bytes_max = 20'000});
  const auto blocks = blocks_of(order);
  CHECK(std::set<block>(blocks.begin(), blocks.end()) == std::set<block>{{2, 1}, {0, 7}, {1, 0}, {1, 1}});
}

TEST_CASE("a start counts once for a file that it has opened under one path and read under another") {
  const observed_start mixed{{{0, 0ms, {}}, {0, 1ms, {{5, 1, 1ms, {}}}}}, 1};
  std::vector starts{mixed, reads({{0, 5}, {0, 7}})};
  starts.resize(10, reads({{1, 0}}));
  const auto order = learn_order(starts, three_files, {});
  CHECK(blocks_of(order) == std::vector<block>{{0, 5}, {1, 0}, {0, 7}});
  CHECK(order.guessed_runs == 2);
  CHECK(order.read_percents == std::vector<std::uint8_t>{20, 80, 10});
}

TEST_CASE("what no start can have read is left out") {
  const auto order = learn_order(std::vector{reads({{9, 0}, {0, 99}, {0, 9}})}, three_files, {});
  CHECK(blocks_of(order) == std::vector<block>{{0, 9}});
}

TEST_CASE("the order in which traces arrive does not matter, and every block is named once") {
  CHECK(rc::check([] {
    auto starts = *rc::gen::container<std::vector<observed_start>>(any_start());
    const auto order = learn_order(starts, three_files, {});
    std::reverse(starts.begin(), starts.end());
    const auto other = learn_order(starts, three_files, {});
    RC_ASSERT(other.runs == order.runs);
    RC_ASSERT(other.guessed_runs == order.guessed_runs);
    RC_ASSERT(other.read_percents == order.read_percents);
    RC_ASSERT(order.read_percents.size() == order.runs.size());
    const auto blocks = blocks_of(order);
    RC_ASSERT(std::set<block>(blocks.begin(), blocks.end()).size() == blocks.size());
    std::set<block> read;
    for (const auto& start : starts)
      for (const auto& access : start.accesses)
        for (const auto& run : access.runs)
          for (auto number = run.first; number < run.first + run.count; ++number)
            if (access.content < 3 && number < 10) read.emplace(access.content, number);
    RC_ASSERT(read == std::set<block>(blocks.begin(), blocks.end()));
  }));
}

TEST_CASE("how long a start takes before it reads anything changes nothing") {
  CHECK(rc::check([] {
    auto starts = *rc::gen::container<std::vector<observed_start>>(any_start());
    RC_PRE(!starts.empty());
    starts.front().accesses.push_back({0, 7ms, {}, 3ms});  // opened, and waited for
    const auto before = learn_order(starts, three_files, {});
    const auto later = *rc::gen::inRange(1, 100'000) * 1ms;
    auto& slow = starts[*rc::gen::inRange<std::size_t>(0, starts.size())];
    for (auto& access : slow.accesses) {
      access.access += later;
      for (auto& run : access.runs) run.access += later;
    }
    const auto after = learn_order(starts, three_files, {});
    RC_ASSERT(after.runs == before.runs);
    RC_ASSERT(after.guessed_runs == before.guessed_runs);
    RC_ASSERT(after.positions == before.positions);
  }));
}

TEST_CASE("times count from the first access to what the image has") {
  const observed_start start{
      {{9, 1ms, {{0, 1, 1ms, 0ms}}}, {0, 400ms, {{0, 1, 400ms, 50ms}}}, {1, 460ms, {{3, 1, 460ms, 0ms}}}}, 1};
  CHECK(learn_order(std::vector{start}, three_files, {}).positions ==
        std::vector<std::chrono::milliseconds>{0ms, 10ms});
}

TEST_CASE("the same traces twice teach the same") {
  CHECK(rc::check([] {
    const auto starts = *rc::gen::container<std::vector<observed_start>>(any_start());
    auto twice = starts;
    twice.insert(twice.end(), starts.begin(), starts.end());
    RC_ASSERT(learn_order(twice, three_files, {}).runs == learn_order(starts, three_files, {}).runs);
  }));
}

// ---- scores --------------------------------------------------------------------------------------

namespace {

constexpr modelled_link slow{.round_trip = 100ms, .bytes_per_second = 1e6, .packed_share = 1};

}  // namespace

TEST_CASE("a start's own order makes it wait for the rate of the link only") {
  const auto start = reads({{2, 0}, {0, 3}, {1, 1}});
  const auto score = score_order(start, oracle_order(start), three_files, {}, slow);
  CHECK(score.misses == 0);
  CHECK(score.sent_bytes == 3 * 16'384);
  CHECK(score.touched_bytes == 3 * 16'384);
  CHECK(score.stall > 40ms);
  CHECK(score.stall < 50ms);
  CHECK(score.recall.back() == 1);
}

TEST_CASE("it is known which share of what was read each share of the stream has brought, in bytes") {
  using recall = decltype(order_score::recall);
  static_assert(recall_percents == std::array<std::uint32_t, 7>{1, 2, 5, 10, 20, 50, 100});
  const auto hundred_blocks = contents_of({100 * 16'384});
  const auto start = reads({{0, 0}, {0, 1}, {0, 4}, {0, 30}, {0, 99}});
  const auto of = [&](const content_order& order) {
    return score_order(start, order, hundred_blocks, {}, slow).recall;
  };
  CHECK(of({}) == recall{1 / 5., 2 / 5., 3 / 5., 3 / 5., 3 / 5., 4 / 5., 1});
  CHECK(of({{{0, 99, 1}, {0, 30, 1}}, 2}) == recall{1 / 5., 2 / 5., 4 / 5., 1, 1, 1, 1});
  CHECK(of(oracle_order(start)) == recall{1 / 5., 2 / 5., 1, 1, 1, 1, 1});
  // A file's last block is short, and a block counts once all of it has come.
  CHECK(score_order(reads({{0, 9}, {0, 0}}), {{{0, 9, 1}}, 1}, three_files, {}, slow).recall ==
        recall{0, 0, 12'544 / 28'928., 1, 1, 1, 1});
}

TEST_CASE("what an order sends too late is asked for, and comes a round trip later") {
  const auto start = reads({{2, 9}});
  const auto score = score_order(start, {}, three_files, {}, slow);
  CHECK(score.misses == 1);
  CHECK(score.stall > 100ms);
  CHECK(score.stall < 120ms);
  CHECK(score.sent_bytes == 480'000);
}

namespace {

bool about(std::chrono::nanoseconds a, std::chrono::nanoseconds b) {
  return std::chrono::abs(a - b) < 10us;
}

}  // namespace

TEST_CASE("it is known when what was read had arrived, and a miss delays only what comes behind it") {
  // 16.384 ms a block, in the order of the contents.
  const observed_start start{{{0, 0ms, {{0, 1, 0ms, {}}}},
                              {2, 100ms, {{9, 1, 100ms, {}}}},
                              {0, 200ms, {{1, 1, 200ms, {}}}},
                              {1, 201ms, {{0, 1, 201ms, {}}}}},
                             1};
  const auto score = score_order(start, {}, three_files, {}, slow);
  REQUIRE(score.accesses.size() == 4);
  REQUIRE(score.misses == 1);
  const auto& [first, missed, before, behind] =
      std::tie(score.accesses[0], score.accesses[1], score.accesses[2], score.accesses[3]);
  CHECK(about(first.arrived, 16'384us));
  CHECK(first.arrived == first.asked + first.wait);
  // Asked for at 116.384 ms, when blocks of the first file were arriving; the last block is a short one.
  CHECK(about(missed.arrived, 116'384us + 100ms + 12'544us));
  CHECK(missed.arrived == missed.asked + missed.wait);
  CHECK(about(before.arrived, 2 * 16'384us));
  CHECK(before.wait == 0ms);
  CHECK(about(behind.arrived, 160ms + 16'384us + 12'544us));
  CHECK(behind.wait == 0ms);
}

TEST_CASE("a start has all it reads after the last segment that holds any of it") {
  const auto start = reads({{0, 0}, {1, 9}});
  const auto until = [&](const content_order& order) {
    const plan_limits small{.first_segment_bytes = 16'384, .segment_bytes_max = 16'384};
    const had_contents nothing;
    return segments_until_read(plan_bundle({three_files, {}, nothing, order, {}, small}), start, three_files,
                               {});
  };
  CHECK(until(oracle_order(start)) == 2);
  CHECK(until({{{0, 0, 1}, {2, 0, 3}, {1, 9, 1}}, 3}) == 5);
  CHECK(until({}) == 20);
  CHECK(segments_until_read({}, start, three_files, {}) == 0);
}

TEST_CASE("a miss brings what lies behind it too") {
  const auto score = score_order(reads({{2, 0}, {2, 1}, {2, 2}}), {}, three_files, {}, slow);
  CHECK(score.misses == 1);
}

TEST_CASE("a miss brings as much behind it as the hub is set to send") {
  auto link = slow;
  link.hub.want_ahead_bytes = 0;
  const auto start = reads({{2, 0}, {2, 1}, {2, 2}});
  CHECK(score_order(start, {}, three_files, {}, link).misses == 3);
}

TEST_CASE("no order is better than a start's own by more than a miss would save") {
  CHECK(rc::check([] {
    const auto start = *any_start();
    const auto best = score_order(start, oracle_order(start), three_files, {}, slow);
    const auto plain = score_order(start, {}, three_files, {}, slow);
    RC_ASSERT(best.misses == 0U);
    RC_ASSERT(best.touched_bytes == plain.touched_bytes);
    RC_ASSERT(best.sent_bytes == best.touched_bytes);
    RC_ASSERT(plain.recall.back() > 0.999 || plain.touched_bytes == 0);
    for (const auto& access : plain.accesses) {
      RC_ASSERT(access.arrived > 0ms);
      RC_ASSERT(access.wait == std::max(access.arrived - access.asked, std::chrono::nanoseconds(0)));
    }
  }));
}
