#include "storage/joint_start.hpp"

#include <catch2/catch.hpp>

#include "schemas/trace_codec.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

using namespace std::chrono_literals;
using offsets = std::map<toc_id, std::chrono::milliseconds>;

constexpr auto noon = std::chrono::nanoseconds(1'700'000'000s);
const std::string app = "example.com/app:1";
const std::string side = "example.com/side:1";

toc_id toc(std::uint8_t number) {
  toc_id id;
  id.value.bytes[0] = std::byte{number};
  return id;
}

/// When something happens of a start.
struct moments {
  std::chrono::nanoseconds begin{0};  ///< after noon; it is received at once
  std::chrono::nanoseconds first{0};  ///< of its first file, after it has begun
};

/// The traces of a hub.
struct joint_bench {
  temporary_folder folder;
  std::unique_ptr<database> metadata = database::open(folder.path()).value();
  std::unique_ptr<trace_store> traces = open();
  std::uint8_t recorded = 0;

  std::unique_ptr<trace_store> open() {
    return trace_store::open(*metadata, {}, [] { return noon; }).value();
  }
  trace_id start(std::uint8_t image, const std::string& reference, moments at,
                 const std::string& group = "shop") {
    trace made{{}, toc(image), reference, group, "n1", noon + at.begin, {}};
    made.id.value.bytes[0] = std::byte{++recorded};
    made.files = {{"a", at.first, 0s, {{0, 1, at.first, 0s}}}, {"b", at.first + 1s, 0s, {}}};
    made.received = made.started;
    REQUIRE(traces->add(made).value() == trace_store::outcome::added);
    return made.id;
  }
  /// The application is started, and its side two seconds later.
  void start_both() {
    start(1, app, {0s});
    start(2, side, {2s});
  }
  [[nodiscard]] offsets of(const std::vector<joint_image>& images, start_offset_limits limits = {}) const {
    return joint_start(*traces, images, limits).value();
  }
  [[nodiscard]] offsets of_both(start_offset_limits limits = {}) const {
    return of({{toc(1), app}, {toc(2), side}}, limits);
  }
};

}  // namespace

TEST_CASE("images of a group begin to read as long after each other as their traces say") {
  joint_bench bench;
  bench.start(1, app, {1000s, 2s});
  bench.start(2, side, {1003s, 4s});
  bench.start(2, side, {1004s}, "default");
  CHECK(bench.of_both() == offsets{{toc(1), 0ms}, {toc(2), 5000ms}});
}

TEST_CASE("of many starts of groups the latest count, and those without a label take no place") {
  joint_bench bench;
  for (int i = 1; i <= 3; ++i) {
    bench.start(1, app, {i * 1000s});
    bench.start(2, side, {i * 1000s + i * 1s});
  }
  for (int i = 0; i < 5; ++i) bench.start(1, app, {9000s + i * 1s}, "default");
  CHECK(bench.of_both().at(toc(2)) == 2000ms);
  CHECK(bench.of_both({.traces_max = 2}).at(toc(2)) == 3000ms);
  CHECK(bench.of_both({.traces_max = 1}).empty());
}

TEST_CASE("a trace whose stamp says that it has no label is not read, one that is damaged is left out") {
  joint_bench bench;
  bench.start(1, app, {1000s});
  const auto second = bench.start(2, side, {1003s});
  const auto key = std::string(as_key(toc(2).value)) + std::string(as_key(second.value));
  const auto put = [&](const char* where, std::string_view what) {
    REQUIRE(bench.metadata->put(table{where}, key, what));
  };
  REQUIRE(bench.of_both().size() == 2);
  auto stamp = bench.traces->stamps(toc(2)).value().at(0);
  stamp.group = "default";
  const auto said = encode_stamp(stamp);
  put("trace-stamp", {reinterpret_cast<const char*>(said.data()), said.size()});
  CHECK(bench.of_both().empty());
  stamp.group = "shop";
  const auto labelled = encode_stamp(stamp);
  put("trace-stamp", {reinterpret_cast<const char*>(labelled.data()), labelled.size()});
  CHECK(bench.of_both().size() == 2);
  put("trace", "no trace");
  CHECK(bench.of_both().empty());
}

TEST_CASE("images are started together as before when the hub is started again") {
  joint_bench bench;
  bench.start_both();
  CHECK(bench.of_both() == offsets{{toc(1), 0ms}, {toc(2), 2000ms}});
  bench.traces = nullptr;
  bench.traces = bench.open();
  CHECK(bench.of_both() == offsets{{toc(1), 0ms}, {toc(2), 2000ms}});
}

TEST_CASE("images whose tables of contents a newer hub has made anew are started as they were before") {
  joint_bench bench;
  bench.start_both();
  CHECK(bench.of({{toc(11), app}, {toc(12), side}}) == offsets{{toc(11), 0ms}, {toc(12), 2000ms}});
}

TEST_CASE("a new version is started as the latest one before it that was in a group") {
  joint_bench bench;
  bench.start_both();
  bench.start(3, "example.com/side:2", {10s}, "default");
  CHECK(bench.of({{toc(1), app}, {toc(13), "example.com/side:3"}}) ==
        offsets{{toc(1), 0ms}, {toc(13), 2000ms}});
}

TEST_CASE("what an image's own starts say counts, not those of other versions") {
  joint_bench bench;
  bench.start_both();
  bench.start(11, "example.com/app:2", {1000s});
  bench.start(12, "example.com/side:2", {1005s});
  CHECK(bench.of({{toc(11), "example.com/app:2"}, {toc(12), "example.com/side:2"}}) ==
        offsets{{toc(11), 0ms}, {toc(12), 5000ms}});
}

TEST_CASE("an image that has been in a group without the others learns from both its starts and older ones") {
  joint_bench bench;
  bench.start_both();
  bench.start(11, "example.com/app:2", {1000s});
  CHECK(bench.of({{toc(11), "example.com/app:2"}, {toc(12), "example.com/side:2"}}) ==
        offsets{{toc(11), 0ms}, {toc(12), 2000ms}});
}

TEST_CASE("images of other repositories, and versions that are sent too, do not stand for an image") {
  joint_bench bench;
  bench.start_both();
  CHECK(bench.of({{toc(1), app}, {toc(12), "example.com/stranger:1"}}).empty());
  CHECK(bench.of({{toc(1), app}, {toc(11), "example.com/app:2"}}).empty());
}

}  // namespace firstlight
