#include "storage/joint_start.hpp"

#include <catch2/catch.hpp>

#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

using namespace std::chrono_literals;
using offsets = std::map<toc_id, std::chrono::milliseconds>;

constexpr auto noon = std::chrono::nanoseconds(1'700'000'000s);

toc_id toc(std::uint8_t number) {
  toc_id id;
  id.value.bytes[0] = std::byte{number};
  return id;
}

/// The traces of a hub.
struct joint_bench {
  temporary_folder folder;
  std::unique_ptr<database> metadata = database::open(folder.path()).value();
  std::unique_ptr<trace_store> traces = open();
  std::uint8_t recorded = 0;

  std::unique_ptr<trace_store> open() {
    return trace_store::open(*metadata, {}, [] { return noon; }).value();
  }
  void start(std::uint8_t image, const std::string& reference, std::chrono::nanoseconds after,
             const std::string& group = "shop") {
    trace made{{}, toc(image), reference, group, "n1", noon + after, {{"a", 0ns, 0ns, {}}}};
    made.id.value.bytes[0] = std::byte{++recorded};
    made.received = noon + after;
    REQUIRE(traces->add(made).value() == trace_store::outcome::added);
  }
  /// The application is started, and its side two seconds later.
  void start_both() {
    start(1, "example.com/app:1", 0s);
    start(2, "example.com/side:1", 2s);
  }
  [[nodiscard]] offsets of(const std::vector<joint_image>& images) const {
    return joint_start(*traces, images).value();
  }
};

}  // namespace

TEST_CASE("images are started together as before when the hub is started again") {
  joint_bench bench;
  bench.start_both();
  const std::vector<joint_image> both{{toc(1), "example.com/app:1"}, {toc(2), "example.com/side:1"}};
  CHECK(bench.of(both) == offsets{{toc(1), 0ms}, {toc(2), 2000ms}});
  bench.traces = nullptr;
  bench.traces = bench.open();
  CHECK(bench.of(both) == offsets{{toc(1), 0ms}, {toc(2), 2000ms}});
}

TEST_CASE("images whose tables of contents a newer hub has made anew are started as they were before") {
  joint_bench bench;
  bench.start_both();
  CHECK(bench.of({{toc(11), "example.com/app:1"}, {toc(12), "example.com/side:1"}}) ==
        offsets{{toc(11), 0ms}, {toc(12), 2000ms}});
}

TEST_CASE("a new version is started as the latest one before it that was in a group") {
  joint_bench bench;
  bench.start_both();
  bench.start(3, "example.com/side:2", 10s, "default");
  CHECK(bench.of({{toc(1), "example.com/app:1"}, {toc(13), "example.com/side:3"}}) ==
        offsets{{toc(1), 0ms}, {toc(13), 2000ms}});
}

TEST_CASE("what an image's own starts say counts, not those of other versions") {
  joint_bench bench;
  bench.start_both();
  bench.start(11, "example.com/app:2", 1000s);
  bench.start(12, "example.com/side:2", 1005s);
  CHECK(bench.of({{toc(11), "example.com/app:2"}, {toc(12), "example.com/side:2"}}) ==
        offsets{{toc(11), 0ms}, {toc(12), 5000ms}});
}

TEST_CASE("an image that has been in a group without the others learns from both its starts and older ones") {
  joint_bench bench;
  bench.start_both();
  bench.start(11, "example.com/app:2", 1000s);
  CHECK(bench.of({{toc(11), "example.com/app:2"}, {toc(12), "example.com/side:2"}}) ==
        offsets{{toc(11), 0ms}, {toc(12), 2000ms}});
}

TEST_CASE("images of other repositories, and versions that are sent too, do not stand for an image") {
  joint_bench bench;
  bench.start_both();
  CHECK(bench.of({{toc(1), "example.com/app:1"}, {toc(12), "example.com/stranger:1"}}).empty());
  CHECK(bench.of({{toc(1), "example.com/app:1"}, {toc(11), "example.com/app:2"}}).empty());
}

}  // namespace firstlight
