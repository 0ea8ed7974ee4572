#include "actors/hub/hub_traces.hpp"
#include "test/actors/aggregator_bench.hpp"

using namespace firstlight;

namespace {

struct shown_bench : aggregator_bench {
  hub_trace_tools tools{*hub.catalogue, *hub.traces, hub.learning, image.record.platform};

  result<admin_trace_detail> show(const std::string& id) {
    return show_traces(tools, {"example.com/app:1", "", 0, id});
  }
};

}  // namespace

TEST_CASE("of one trace it is shown what was read when, and how long it waited") {
  shown_bench bench;
  auto recorded = start_of(bench.image, 1, {"c", "a"});
  recorded.files[1].wait = recorded.files[1].runs[0].wait = 7ms;
  recorded.files.push_back({"b", 5ms, 0ms, {}});  // opened only
  REQUIRE(bench.report(recorded));
  REQUIRE(bench.report(start_of(bench.image, 2, {"b"})));
  const auto shown = bench.show(id_of(1).value.hex());
  REQUIRE(shown);
  CHECK(shown->image.traces == 2);
  REQUIRE(shown->traces.size() == 1);
  CHECK(shown->traces[0].id == id_of(1).value.hex());
  CHECK(shown->traces[0].files == 3);
  CHECK(shown->order.empty());
  CHECK(shown->files ==
        std::vector<admin_trace_file>{{"c", 0, 0, {{0, 1, 0, 0}}},
                                      {"a", 1'000'000, 7'000'000, {{0, 1, 1'000'000, 7'000'000}}},
                                      {"b", 5'000'000, 0, {}}});
  CHECK(bench.show("")->files.empty());
}

TEST_CASE("a trace is named by the beginning of its id, if no other one begins so") {
  shown_bench bench;
  auto first = start_of(bench.image, 1, {"a"});
  auto second = start_of(bench.image, 1, {"b"});
  second.id.value.bytes[1] = std::byte{0xab};
  REQUIRE(bench.report(first));
  REQUIRE(bench.report(second));
  CHECK(bench.show("01ab")->files.at(0).path == "b");
  CHECK(bench.show("0100")->files.at(0).path == "a");
  CHECK(bench.show("01").error().code == errc::invalid_argument);
  for (const std::string unknown : {"02", "01abc", "no id"}) {
    const auto none = bench.show(unknown);
    CHECK(none.error().code == errc::not_found);
    CHECK(none.error().detail.find("has no trace " + unknown) != std::string::npos);
    CHECK(none.error().detail.find('\n') == std::string::npos);
  }
}

TEST_CASE("a trace is removed by the beginning of its id, if no other one begins so") {
  shown_bench bench;
  auto second = start_of(bench.image, 1, {"b"});
  second.id.value.bytes[1] = std::byte{0xab};
  REQUIRE(bench.report(start_of(bench.image, 1, {"a"})));
  REQUIRE(bench.report(second));
  const auto remove = [&](const std::string& id) {
    return remove_traces(bench.tools, {"example.com/app:1", "", id});
  };
  CHECK(remove("01").error().code == errc::invalid_argument);
  CHECK(remove("02").error().code == errc::not_found);
  CHECK(bench.show("")->traces.size() == 2);
  CHECK(remove("01ab")->traces == 1);
  CHECK(bench.show("01")->files.at(0).path == "a");
}

TEST_CASE("a score for which a recorded start is missing says how to get one, or to do without") {
  shown_bench bench;
  REQUIRE(bench.report(start_of(bench.image, 1, {"a"})));
  const auto scores =
      score_traces(bench.tools, {.reference = "example.com/app:1", .orders = {"traced", "image"}});
  CHECK(scores.error().code == errc::not_found);
  CHECK(scores.error().detail.find("trace record") != std::string::npos);
  CHECK(scores.error().detail.find("--order") != std::string::npos);
  CHECK(score_traces(bench.tools, {.reference = "example.com/app:1", .orders = {"image"}})->rows.size() == 1);
}

TEST_CASE("a trace of another image is not shown") {
  shown_bench bench;
  const auto other = bench.hub.add("example.com/other:1", tar_of({"x"}));
  REQUIRE(bench.report(start_of(other, 1, {"x"})));
  CHECK(bench.show(id_of(1).value.hex()).error().code == errc::not_found);
}
