#include "model/trace.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>

#include "model/recording.hpp"
#include "model/trace_eviction.hpp"
#include "model/trace_selection.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

constexpr auto now = std::chrono::nanoseconds(1'700'000'000s);

trace good_trace() {
  trace made;
  made.started = now - 10s;
  made.files = {{"usr/bin/app", 1ms, 0ms, {{0, 4, 1ms, 0ms}, {9, 1, 3ms, 1ms}}},
                {"etc/app.conf", 5ms, 0ms, {}}};
  return made;
}

errc refusal(const trace& recorded, const trace_limits& limits = {}) {
  const auto checked = check_trace(recorded, limits, now);
  return checked ? errc{} : checked.error().code;
}

}  // namespace

TEST_CASE("a trace of plain files at possible times is accepted") {
  CHECK(check_trace(good_trace(), {}, now));
}

TEST_CASE("a trace that cannot be true is refused") {
  auto wrong = good_trace();
  SECTION("without files") {
    wrong.files.clear();
  }
  SECTION("a path that leaves the image") {
    wrong.files[0].path = GENERATE(as<std::string>(), "../etc/passwd", "usr/../../x", "/etc/passwd", "",
                                   "a//b", "a/.", ".", "a/");
  }
  SECTION("a file twice") {
    wrong.files[1].path = wrong.files[0].path;
  }
  SECTION("negative times") {
    wrong.files[0].access = -1ns;
  }
  SECTION("negative waits") {
    wrong.files[0].runs[0].wait = -1ns;
  }
  SECTION("times that no start takes") {
    wrong.files[1].access = 25h;
  }
  SECTION("a start in the future") {
    wrong.started = now + 25h;
  }
  SECTION("a start before the epoch") {
    wrong.started = -1s;
  }
  SECTION("an empty run") {
    wrong.files[0].runs[0].count = 0;
  }
  SECTION("a run whose end is no number") {
    wrong.files[0].runs[0].first = 0xffffffff;
  }
  SECTION("without a group") {
    wrong.group.clear();
  }
  CHECK(refusal(wrong) == errc::invalid_argument);
}

TEST_CASE("a trace above a limit is refused with its name") {
  trace_limits limits;
  SECTION("files") {
    limits.files_max = 1;
  }
  SECTION("runs") {
    limits.runs_max = 1;
  }
  SECTION("path") {
    limits.path_bytes_max = 5;
  }
  CHECK(refusal(good_trace(), limits) == errc::limit_exceeded);
}

TEST_CASE("sorting a trace orders files and runs by access and keeps the earliest of repeats") {
  trace made;
  made.files = {
      {"b", 5ms, 0ms, {{4, 1, 9ms, 0ms}, {0, 1, 5ms, 0ms}}}, {"a", 2ms, 0ms, {}}, {"b", 1ms, 0ms, {}}};
  sort_trace(made);
  REQUIRE(made.files.size() == 2);
  CHECK(made.files[0] == traced_file{"b", 1ms, 0ms, {}});
  CHECK(made.files[1].path == "a");
}

// ---- recording -----------------------------------------------------------------------------------

TEST_CASE("a recording notes each block once, at its first access") {
  const instant start{};
  recording notes(start);
  notes.opened(7, start + 1ms);
  notes.read({7, 0, 2}, 10, start + 2ms, 0ms);
  notes.read({7, 1, 3}, 10, start + 3ms, 4ms);
  notes.read({7, 0, 4}, 10, start + 5ms, 0ms);
  notes.read({2, 5, 1}, 6, start + 4ms, 0ms);
  const auto read = notes.take();
  REQUIRE(read.size() == 2);
  CHECK(read[0].content == 7);
  CHECK(read[0].access == 1ms);
  CHECK(read[0].runs == std::vector<traced_run>{{0, 2, 2ms, 0ms}, {2, 2, 3ms, 4ms}});
  CHECK(read[1].content == 2);
  CHECK(notes.take().empty());
}

TEST_CASE("a start has settled once nothing new was read for a while, and in any case after its time") {
  const instant start{};
  recording notes(start, {.settle_time = 10s, .time_max = 60s});
  CHECK_FALSE(notes.settled(start + 59s));
  CHECK(notes.settled(start + 60s));
  notes.read({0, 0, 1}, 2, start + 1s, 0ms);
  CHECK_FALSE(notes.settled(start + 10s));
  CHECK(notes.settled(start + 11s));
  notes.read({0, 0, 1}, 2, start + 11s, 0ms);  // nothing new
  CHECK(notes.settled(start + 11s));
  notes.goes_on(start + 11s);
  CHECK_FALSE(notes.settled(start + 20s));
}

TEST_CASE("a recording keeps its limits") {
  const instant start{};
  recording notes(start, {.settle_time = 1s, .time_max = 1s, .contents_max = 2, .runs_max = 3});
  for (std::uint32_t content = 0; content < 5; ++content)
    for (std::uint32_t block = 0; block < 5; block += 2)
      notes.read({content, block, 1}, 5, start + std::chrono::milliseconds(block), 0ms);
  const auto read = notes.take();
  REQUIRE(read.size() == 2);
  CHECK(read[0].runs.size() + read[1].runs.size() == 3);
}

// ---- selection -----------------------------------------------------------------------------------

namespace {

trace_stamp stamp(std::uint8_t id, const std::string& node, std::chrono::nanoseconds started) {
  trace_stamp made{{}, node, started, started, 1};
  made.id.value.bytes[0] = std::byte{id};
  return made;
}

}  // namespace

TEST_CASE("newer traces weigh more, older ones than the limit do not count") {
  std::vector<trace_stamp> stamps;
  for (std::uint8_t i = 0; i < 20; ++i) stamps.push_back(stamp(i, "n" + std::to_string(i), now + i * 24h));
  const auto selected = select_traces(stamps, {.traces_max = 10, .half_weight_after = 4});
  REQUIRE(selected.size() == 10);
  CHECK(selected.at(stamps[19].id) == 1);
  CHECK(selected.at(stamps[15].id) == Approx(0.5));
  CHECK_FALSE(selected.contains(stamps[9].id));
  std::reverse(stamps.begin(), stamps.end());
  CHECK(select_traces(stamps, {.traces_max = 10, .half_weight_after = 4}) == selected);
}

TEST_CASE("one node counts only so often a day, and repeats count once") {
  std::vector<trace_stamp> stamps;
  const auto midnight = std::chrono::nanoseconds(std::chrono::days(20'000));
  for (std::uint8_t i = 0; i < 50; ++i) stamps.push_back(stamp(i, "eager", midnight + i * 1min));
  stamps.push_back(stamp(100, "shy", midnight));
  stamps.push_back(stamp(100, "shy", midnight));
  stamps.push_back(stamp(101, "eager", midnight - 1min));
  const auto selected = select_traces(stamps, {.traces_max = 64, .traces_per_node_and_day = 3});
  CHECK(selected.size() == 5);
  CHECK(selected.contains(stamps.back().id));
}

TEST_CASE("a node that lies about its starts weighs no more than its share of a day") {
  CHECK(rc::check([] {
    const auto honest = *rc::gen::inRange(1, 20);
    const auto starts = *rc::gen::inRange(1, 9);
    const auto lies = *rc::gen::container<std::vector<int>>(100, rc::gen::inRange(0, 2'000'000));
    constexpr std::uint32_t cap = 8;
    const auto day = std::chrono::nanoseconds(std::chrono::days(20'000));
    std::vector<trace_stamp> stamps;
    const auto add = [&](const std::string& node, std::chrono::nanoseconds started) {
      trace_stamp made{{}, node, started, day + 1h, 1};
      made.id.value.bytes[0] = static_cast<std::byte>(stamps.size());
      made.id.value.bytes[1] = static_cast<std::byte>(stamps.size() >> 8U);
      stamps.push_back(made);
    };
    for (int node = 0; node < honest; ++node)
      for (int start = 0; start < starts; ++start) add("n" + std::to_string(node), day - start * 1s);
    for (const auto earlier : lies) add("liar", day + 1h - earlier * 1s);
    double liar = 0;
    double all = 0;
    for (const auto& [id, weight] :
         select_traces(stamps, {.traces_max = 1024, .traces_per_node_and_day = cap})) {
      all += weight;
      const auto by = std::find_if(stamps.begin(), stamps.end(), [&](const auto& s) { return s.id == id; });
      if (by->node == "liar") liar += weight;
    }
    RC_ASSERT(liar <= all * cap / (cap + honest * starts) + 1e-9);
  }));
}

// ---- eviction ------------------------------------------------------------------------------------

TEST_CASE("traces of a node that sends many go before those of others") {
  std::vector<trace_stamp> stamps{stamp(100, "shy", 1s), stamp(101, "calm", 2s), stamp(102, "calm", 3s)};
  for (std::uint8_t i = 0; i < 50; ++i) stamps.push_back(stamp(i, "eager", 1000s + i * 1s));
  const auto gone = evicted_traces(stamps, {.count_max = 6});
  REQUIRE(gone.size() == 47);
  for (std::uint8_t i = 0; i < 47; ++i) CHECK(gone[i] == stamp(i, "", 0s).id);
  CHECK(evicted_traces(stamps, {.per_node_max = 2}).size() == 48);
  CHECK(evicted_traces(stamps, {}).empty());
}

TEST_CASE("a node whose traces are large makes room for others' small ones") {
  std::vector<trace_stamp> stamps;
  for (std::uint8_t i = 0; i < 10; ++i) stamps.push_back(stamp(i, "small", i * 1s));
  for (std::uint8_t i = 10; i < 14; ++i) stamps.push_back(stamp(i, "large", i * 1s));
  for (std::size_t i = 10; i < 14; ++i) stamps[i].bytes = 100;
  CHECK(evicted_traces(stamps, {.bytes_max = 250}) == std::vector<trace_id>{stamps[10].id, stamps[11].id});
}
