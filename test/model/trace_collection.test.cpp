#include "model/trace_collection.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

/// What importing the starts of a group makes of it.
optimised_group put_together(const std::vector<group_start>& starts) {
  std::vector<labelled_trace> traces;
  for (const auto& start : starts) {
    trace made{.group = "label", .started = start.started};
    made.id.value.bytes[0] = std::byte(traces.size());
    for (const auto& one : start.accesses) made.files.push_back({one.path, one.access, one.wait, {}});
    sort_trace(made);
    traces.push_back({start.image, made});
  }
  const auto groups = collect_groups(traces);
  RC_ASSERT(groups.size() == 1U);
  return groups.front();
}

/// Traces of one label: a few images, some started twice, with paths in common.
rc::Gen<std::vector<labelled_trace>> any_starts() {
  return rc::gen::exec([] {
    std::vector<labelled_trace> traces;
    const auto count = *rc::gen::inRange(1, 6);
    for (int i = 0; i < count; ++i) {
      const auto image = std::to_string(*rc::gen::inRange(0, 3));
      trace made{.group = "shop", .started = std::chrono::nanoseconds(*rc::gen::inRange(0, 1'000))};
      made.id.value.bytes[0] = std::byte(i);
      const auto paths = *rc::gen::inRange(1U, 1U << 5U);  // one bit for each
      for (unsigned path = 0; path < 5; ++path)
        if ((paths >> path & 1U) != 0)
          made.files.push_back({"f" + std::to_string(path),
                                std::chrono::nanoseconds(*rc::gen::inRange(0, 1'000)),
                                std::chrono::nanoseconds(*rc::gen::inRange(0, 50)),
                                {}});
      sort_trace(made);
      traces.push_back({{"image" + image, "1"}, made});
    }
    return traces;
  });
}

}  // namespace

TEST_CASE("the starts of a group give the same group again") {
  CHECK(rc::check([] {
    const auto group = collect_groups(*any_starts()).front();
    RC_ASSERT(put_together(starts_of(group)) == group);
  }));
}

TEST_CASE("the first start of a group keeps the time before its first access") {
  const optimised_group group{{{"db", "1"}, {"web", "2"}}, {{"a", 5ms, 1ms, 0, 0}, {"b", 9ms, 0ms, 1, 1}}};
  const auto starts = starts_of(group);
  REQUIRE(starts.size() == 2);
  CHECK(starts[0] == group_start{{"db", "1"}, 0ms, {{"a", 5ms, 1ms, 0, 0}}});
  CHECK(starts[1] == group_start{{"web", "2"}, 9ms, {{"b", 0ms, 0ms, 0, 0}}});
  CHECK(put_together(starts) == group);
}

TEST_CASE("an image that reads a path twice was started twice") {
  const optimised_group group{{{"db", "1"}},
                              {{"a", 0ms, 0ms, 0, 0}, {"b", 1ms, 0ms, 1, 0}, {"a", 2ms, 0ms, 2, 0}}};
  const auto starts = starts_of(group);
  REQUIRE(starts.size() == 2);
  CHECK(starts[1].started == 2ms);
  CHECK(put_together(starts) == group);
}
