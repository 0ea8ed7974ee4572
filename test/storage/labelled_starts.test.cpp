#include "storage/joint_start.hpp"

#include <catch2/catch.hpp>

#include "schemas/trace_codec.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

toc_id image(std::uint8_t number) {
  toc_id id;
  id.value.bytes[0] = std::byte{number};
  return id;
}

struct labelled_bench {
  temporary_folder folder;
  std::unique_ptr<database> metadata = database::open(folder.path()).value();
  std::unique_ptr<trace_store> traces = trace_store::open(*metadata, {}).value();
  std::uint8_t added = 0;

  /// A start that reads its first file `first` after it began, and is received at once.
  trace_id start(std::uint8_t of, const std::string& group, std::chrono::nanoseconds when,
                 std::chrono::nanoseconds first = 0s) {
    trace made;
    made.id.value.bytes[0] = std::byte{++added};
    made.toc = image(of);
    made.group = group;
    made.node = "n1";
    made.started = when;
    made.received = when;
    made.files = {{"a", first, 0s, {{0, 1, first, 0s}}}, {"b", first + 1s, 0s, {}}};
    REQUIRE(traces->add(made));
    return made.id;
  }

  [[nodiscard]] std::map<toc_id, std::chrono::milliseconds> offsets(start_offset_limits limits = {}) const {
    const std::vector<joint_image> images{{image(1), "example.com/app:1"}, {image(2), "example.com/side:1"}};
    return joint_start(*traces, images, limits).value();
  }
};

using offsets = std::map<toc_id, std::chrono::milliseconds>;

}  // namespace

TEST_CASE("images of a group begin to read as long after each other as their traces say") {
  labelled_bench bench;
  bench.start(1, "shop", 1000s, 2s);
  bench.start(2, "shop", 1003s, 4s);
  bench.start(2, "default", 1004s);
  CHECK(bench.offsets() == offsets{{image(1), 0ms}, {image(2), 5000ms}});
}

TEST_CASE("of many starts of groups the latest count, and those without a label take no place") {
  labelled_bench bench;
  for (int i = 1; i <= 3; ++i) {
    bench.start(1, "shop", i * 1000s);
    bench.start(2, "shop", i * 1000s + i * 1s);
  }
  for (int i = 0; i < 5; ++i) bench.start(1, "default", 9000s + i * 1s);
  CHECK(bench.offsets().at(image(2)) == 2000ms);
  CHECK(bench.offsets({.traces_max = 2}).at(image(2)) == 3000ms);
  CHECK(bench.offsets({.traces_max = 1}).empty());
}

TEST_CASE("a trace whose stamp says that it has no label is not read, one that is damaged is left out") {
  labelled_bench bench;
  bench.start(1, "shop", 1000s);
  const auto second = bench.start(2, "shop", 1003s);
  const auto key = std::string(as_key(image(2).value)) + std::string(as_key(second.value));
  const auto put = [&](const char* where, std::string_view what) {
    REQUIRE(bench.metadata->put(table{where}, key, what));
  };
  REQUIRE(bench.offsets().size() == 2);
  auto stamp = bench.traces->stamps(image(2)).value().at(0);
  stamp.group = "default";
  const auto said = encode_stamp(stamp);
  put("trace-stamp", {reinterpret_cast<const char*>(said.data()), said.size()});
  CHECK(bench.offsets().empty());
  stamp.group = "shop";
  const auto labelled = encode_stamp(stamp);
  put("trace-stamp", {reinterpret_cast<const char*>(labelled.data()), labelled.size()});
  CHECK(bench.offsets().size() == 2);
  put("trace", "no trace");
  CHECK(bench.offsets().empty());
}
