#include "apps/trace_files.hpp"

#include <rapidcheck.h>

#include <fstream>

#include "actors/hub/hub_traces.hpp"
#include "schemas/trace_json.hpp"
#include "storage/sha256.hpp"
#include "test/actors/aggregator_bench.hpp"

using namespace firstlight;

namespace {

/// A hub into which trace files are imported.
struct file_bench {
  test_authority authority;
  hub_stores hub{authority};
  known_image redis = hub.add("redis:7", tar_of({"a", "b", "c"}));
  known_image side = hub.add("localhost:5000/side:1", tar_of({"a", "x"}));
  hub_trace_tools tools{*hub.catalogue, *hub.traces, hub.learning, redis.record.platform};

  trace_id take_in(const std::string& text) {
    const auto read = trace_to_import(tools, text, "").value();
    RC_ASSERT(read.has_value());
    RC_ASSERT(hub.traces->add(*read).value() == trace_store::outcome::added);
    return read->id;
  }
  std::vector<admin_trace_text> exported() { return export_traces(tools, {}).value().traces; }

  /// What export gives of one file that import takes.
  std::string passed_through(const std::string& text) {
    const auto id = take_in(text);
    const auto all = exported();
    RC_ASSERT(hub.traces->forget(id).has_value());
    RC_ASSERT(all.size() == 1U);
    return all.front().json;
  }
};

enum class spelled { alike, anyhow };

/// A trace file of redis:7. Alike: as export writes it, all paths with '/' or all without.
trace_file any_file(spelled how) {
  const auto names =
      rc::gen::element(named_image{"redis", "7"}, named_image{"redis:7", ""},
                       named_image{"library/redis", "7"}, named_image{"docker.io/library/redis", "7"});
  trace_file file{*rc::gen::element<std::string>("default", "shop"),
                  *names,
                  std::chrono::nanoseconds(*rc::gen::inRange<std::int64_t>(0, 1'700'000'000'000'000'000)),
                  {}};
  const auto prefixes = rc::gen::element<std::string>("", "/", "./");
  const auto common = *rc::gen::element<std::string>("", "/");
  const auto count = *rc::gen::inRange(1, 8);
  for (int i = 0; i < count; ++i) {
    const auto number = how == spelled::alike ? i : *rc::gen::inRange(0, 5);
    const auto prefix = how == spelled::alike ? common : *prefixes;
    file.accesses.push_back({prefix + "usr/f" + std::to_string(number),
                             std::chrono::nanoseconds(*rc::gen::inRange(0, 10)),
                             std::chrono::nanoseconds(*rc::gen::inRange(0, 50)), 0, 0});
  }
  if (how == spelled::alike)
    std::stable_sort(file.accesses.begin(), file.accesses.end(),
                     [](const group_access& a, const group_access& b) { return a.access < b.access; });
  return file;
}

}  // namespace

TEST_CASE("a trace file is exported to the byte as it was imported: names and paths as it has them") {
  file_bench bench;
  CHECK(rc::check([&] {
    const auto text = trace_file_json(any_file(spelled::alike));
    RC_ASSERT(bench.passed_through(text) == text);
  }));
}

TEST_CASE("whatever a trace file is like, what is exported of it is exported so again") {
  file_bench bench;
  CHECK(rc::check([&] {
    const auto file = any_file(spelled::anyhow);
    const auto once = bench.passed_through(trace_file_json(file));
    RC_ASSERT(bench.passed_through(once) == once);
    const auto back = parse_trace_file(once).value();
    RC_ASSERT(back.image == file.image);
    RC_ASSERT(back.started == file.started);
    RC_ASSERT(back.group == file.group);
  }));
}

TEST_CASE("a collection is exported to the byte as it was imported") {
  file_bench bench;
  const std::string root = GENERATE("", "/");
  const std::string text = R"({"Groups":[{"h":[{"f":")" + root + R"(a","a":1,"w":2,"r":0,"s":1},{"f":")" +
                           root + R"(a","a":3,"w":0,"r":1,"s":0},{"f":")" + root +
                           R"(b","a":4,"w":0,"r":2,"s":1}],)"
                           R"("i":[{"n":"localhost:5000/side","t":"1"},{"n":"redis","t":"7"}]}]})";
  const auto path = bench.hub.folder.path() / "given.json";
  std::ofstream(path) << text;
  const auto files = read_trace_files(path).value();
  CHECK(files.size() == 2);
  for (const auto& file : files) bench.take_in(file);
  CHECK(collection_of(bench.exported()).value() == text);
}

TEST_CASE("a trace file is taken in once for each image that its name means") {
  file_bench bench;
  const auto text =
      trace_file_json({"default", {"redis", "7"}, std::chrono::seconds(1), {{"a", {}, {}, 0, 0}}});
  const auto first = bench.take_in(text);
  CHECK_FALSE(trace_to_import(bench.tools, text, "").value());
  const auto moved = bench.hub.add("redis:7", tar_of({"a", "d"}));
  REQUIRE(moved.record.toc != bench.redis.record.toc);
  const auto second = bench.take_in(text);
  CHECK(second != first);
  CHECK_FALSE(trace_to_import(bench.tools, text, "").value());
  CHECK(bench.hub.traces->find(first).value()->toc == bench.redis.record.toc);
  CHECK(bench.hub.traces->find(second).value()->toc == moved.record.toc);
}

TEST_CASE("a trace file that an earlier version has taken in is known") {
  file_bench bench;
  const auto text =
      trace_file_json({"default", {"redis", "7"}, std::chrono::seconds(1), {{"a", {}, {}, 0, 0}}});
  auto made = read_trace_file(bench.tools, text, "").value();
  made.id = {sha256({reinterpret_cast<const std::byte*>(text.data()), text.size()})};
  REQUIRE(bench.hub.traces->add(made));
  CHECK_FALSE(trace_to_import(bench.tools, text, "").value());
}

TEST_CASE("a recorded trace is exported under its image's full name, with paths without a leading '/'") {
  file_bench bench;
  auto recorded = start_of(bench.redis, 1, {"c"});
  REQUIRE(bench.hub.traces->add(recorded));
  const auto file = parse_trace_file(bench.exported().at(0).json).value();
  CHECK(file.image == named_image{"docker.io/library/redis", "7"});
  CHECK(file.accesses.at(0).path == "c");
}
