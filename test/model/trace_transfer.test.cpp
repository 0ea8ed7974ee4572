#include "model/trace_transfer.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <optional>

#include "model/trace_collection.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

content_info content(std::uint8_t number) {
  content_info info{{}, 100'000};
  info.id.root.bytes[0] = std::byte{number};
  return info;
}

/// Contents 0, 1, 2, ... at these paths.
file_mapping mapping_to(const std::vector<std::string>& paths) {
  std::vector<content_info> contents;
  std::vector<file_content> files;
  for (const auto& path : paths) {
    contents.push_back(content(static_cast<std::uint8_t>(contents.size() + 1)));
    files.push_back({path, contents.back()});
  }
  return {files, contents};
}

}  // namespace

TEST_CASE("a file of a relative is found by path, then by content, then by its name without version") {
  const auto mapping = mapping_to({"usr/bin/app", "usr/lib/libfoo.so.1.2.4", "opt/moved"});
  CHECK(mapping.find({"usr/bin/app", content(99)}) == 0U);
  CHECK(mapping.find({"usr/share/old", content(3)}) == 2U);
  CHECK(mapping.find({"usr/lib/libfoo.so.1.2.3", content(99)}) == 1U);
  CHECK(mapping.find({"lib/libfoo.so.1.2.3", content(99)}) == 1U);
  CHECK_FALSE(mapping.find({"usr/bin/other", content(99)}));
}

TEST_CASE("a name without version that several files have says nothing") {
  const auto mapping = mapping_to({"a/lib1/x.so.1", "b/lib2/x.so.2"});
  CHECK_FALSE(mapping.find({"c/x.so.3", content(99)}));
}

namespace {

constexpr std::uint64_t block_bytes = default_block_bytes;

/// A run of a version of so many blocks in one of so many others.
traced_run moved(const traced_run& run, std::uint64_t blocks_before, std::uint64_t blocks_now,
                 std::vector<version_anchor> anchors = {}) {
  const auto before = blocks_before * block_bytes;
  const auto now = blocks_now * block_bytes;
  return moved_run(run, {before, now, std::move(anchors)}, before, now, {});
}

}  // namespace

TEST_CASE("blocks of another version keep their share of the file, with a little beside") {
  CHECK(moved({50, 10, 1ms, 2ms}, 1000, 1010) == traced_run{48, 15, 1ms, 2ms});
  CHECK(moved({0, 4, 1ms, 0ms}, 100, 100) == traced_run{0, 5, 1ms, 0ms});
  CHECK(moved({99, 1, 1ms, 0ms}, 100, 50) == traced_run{48, 2, 1ms, 0ms});
  CHECK(moved({3, 2, 1ms, 0ms}, 7, 9) == traced_run{0, 9, 1ms, 0ms});  // a small file
  CHECK(moved({0, 4, 1ms, 0ms}, 4, 1) == traced_run{0, 1, 1ms, 0ms});
}

TEST_CASE("a trace alone is moved by the names of its files, and its blocks stay where they were") {
  std::vector<content_info> contents;
  std::vector<file_content> files;
  for (const std::string path : {"usr/bin/app", "usr/lib/libfoo.so.1.2.4", "etc/twice"}) {
    contents.push_back(content(static_cast<std::uint8_t>(contents.size() + 1)));
    contents.back().size = 1000 * block_bytes;
    files.push_back({path, contents.back()});
  }
  const file_mapping mapping(files, contents);
  trace recorded;
  recorded.files = {{"usr/bin/app", 1ms, 0ms, {{50, 10, 1ms, 0ms}, {2000, 5, 2ms, 0ms}}},
                    {"usr/lib/libfoo.so.1.2.3", 3ms, 1ms, {{990, 4'000'000'000, 3ms, 1ms}}},
                    {"usr/lib/libbar.so.1", 4ms, 0ms, {}},
                    {"etc/twice", 5ms, 0ms, {{0, 10, 5ms, 0ms}, {9, 1, 6ms, 0ms}}}};
  const auto start = observe_by_names(recorded, mapping, contents, {});
  REQUIRE(start.accesses.size() == 3);
  CHECK(start.accesses[0].content == 0);
  CHECK(start.accesses[0].runs == std::vector<traced_run>{moved({50, 10, 1ms, 0ms}, 1000, 1000)});
  CHECK(start.accesses[1].content == 1);
  CHECK(start.accesses[1].wait == 1ms);
  REQUIRE(start.accesses[1].runs.size() == 1);
  CHECK(start.accesses[1].runs[0].first + start.accesses[1].runs[0].count == 1000);
  CHECK(start.accesses[2].content == 2);
  CHECK(start.accesses[2].runs.empty());
}

TEST_CASE("more stands beside the blocks of a version that differs much") {
  CHECK(moved({50, 10, 1ms, 2ms}, 100, 200) == traced_run{96, 28, 1ms, 2ms});
  CHECK(moved({640, 10, 1ms, 0ms}, 1280, 1260).count == 16);  // 1 in 64: alike
  CHECK(moved({640, 10, 1ms, 0ms}, 1280, 1259).count == 51);
}

TEST_CASE("blocks between near anchors are where the anchors are, with a page beside") {
  std::vector<version_anchor> anchors;  // in the middle something was put in; the last tenth has none
  for (std::uint64_t at = 1; at < 90; ++at)
    anchors.push_back({at * block_bytes, (at < 50 ? at : at + 100) * block_bytes});
  CHECK(moved({10, 1, 1ms, 0ms}, 100, 200, anchors) == traced_run{9, 3, 1ms, 0ms});
  CHECK(moved({60, 2, 1ms, 0ms}, 100, 200, anchors) == traced_run{159, 4, 1ms, 0ms});
  CHECK(moved({95, 1, 1ms, 0ms}, 100, 200, anchors) == traced_run{191, 9, 1ms, 0ms});
}

TEST_CASE(
    "a run between near anchors of which one has moved away reaches from where it may be to where it may") {
  const std::vector<version_anchor> anchors{{8 * block_bytes, 8 * block_bytes},
                                            {10 * block_bytes + 4096, 12 * block_bytes},
                                            {11 * block_bytes, 13 * block_bytes}};
  CHECK(moved({10, 1, 1ms, 0ms}, 100, 102, anchors) == traced_run{9, 5, 1ms, 0ms});
}

TEST_CASE("a run is where its bytes are after bytes were put in or taken out between near anchors") {
  CHECK(rc::check([] {
    constexpr std::uint64_t blocks = 100;
    const auto low = *rc::gen::inRange<std::uint64_t>(1, (blocks - 5) * block_bytes);
    const auto gap = *rc::gen::inRange<std::uint64_t>(block_bytes, 4 * block_bytes);
    const auto gap_now = *rc::gen::inRange<std::uint64_t>(1, 4 * block_bytes);
    const auto at = *rc::gen::inRange<std::uint64_t>(low, low + std::min(gap, gap_now));  // of the change
    const auto before = blocks * block_bytes;
    const auto now = before - gap + gap_now;
    const auto first = static_cast<std::uint32_t>((low + block_bytes - 1) / block_bytes);
    if (std::uint64_t{first + 1} * block_bytes > low + gap) return;  // no block lies between them
    // Nothing where the byte was taken out.
    const auto place_now = [&](std::uint64_t place) -> std::optional<std::uint64_t> {
      if (place < at) return place;
      if (gap > gap_now && place < at + (gap - gap_now)) return std::nullopt;
      return place + gap_now - gap;
    };
    const auto run = moved_run({first, 1, 1ms, 0ms}, {before, now, {{low, low}, {low + gap, low + gap_now}}},
                               before, now, {});
    for (auto place = first * block_bytes; place < (first + 1) * block_bytes; place += 512) {
      const auto is = place_now(place);
      RC_ASSERT(!is || *is / block_bytes >= run.first);
      RC_ASSERT(!is || *is / block_bytes < std::uint64_t{run.first} + run.count);
    }
  }));
}

TEST_CASE("a moved run lies inside of the other version and is not empty, whatever the anchors say") {
  CHECK(rc::check([] {
    const auto before = *rc::gen::inRange<std::uint64_t>(1, 300);
    const auto now = *rc::gen::inRange<std::uint64_t>(1, 300);
    const auto place = rc::gen::inRange<std::uint64_t>(0, 310 * block_bytes);
    std::vector<version_anchor> anchors;
    for (const auto& [was, is] : *rc::gen::container<std::vector<std::pair<std::uint64_t, std::uint64_t>>>(
             rc::gen::pair(place, place)))
      anchors.push_back({was, is});
    const auto first = *rc::gen::inRange<std::uint32_t>(0, static_cast<std::uint32_t>(before));
    const auto count = *rc::gen::inRange<std::uint32_t>(1, static_cast<std::uint32_t>(before) - first + 1);
    const auto run = moved({first, count, 1ms, 0ms}, before, now, anchors);
    RC_ASSERT(run.count > 0);
    RC_ASSERT(std::uint64_t{run.first} + run.count <= now);
  }));
}

// ---- optimised groups ----------------------------------------------------------------------------

namespace {

labelled_trace labelled(const std::string& image, const std::string& group, std::chrono::nanoseconds started,
                        std::vector<traced_file> files) {
  trace made;
  made.group = group;
  made.started = started;
  made.files = std::move(files);
  made.id.value.bytes[0] = static_cast<std::byte>(image.front());
  return {{image, "1"}, made};
}

}  // namespace

TEST_CASE("each trace of the default group is a group of its own") {
  const std::vector traces{labelled("b", "default", 1s, {{"x", 1ms, 2ns, {}}}),
                           labelled("a", "default", 2s, {{"y", 3ms, 4ns, {}}})};
  const auto groups = collect_groups(traces);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0] == optimised_group{{{"b", "1"}}, {{"x", 1ms, 2ns, 0, 0}}});
  CHECK(groups[1] == optimised_group{{{"a", "1"}}, {{"y", 3ms, 4ns, 0, 0}}});
}

TEST_CASE("traces of one label are merged: shifted by their starts, ordered, ranked, images by name") {
  std::vector traces{labelled("web", "shop", 10s, {{"bin/web", 0ms, 0ns, {}}, {"lib", 500ms, 0ns, {}}}),
                     labelled("db", "shop", 10s + 200ms, {{"bin/db", 100ms, 7ns, {}}}),
                     labelled("web", "other", 1s, {{"bin/web", 0ms, 0ns, {}}})};
  const auto groups = collect_groups(traces);
  REQUIRE(groups.size() == 2);
  const auto& shop = groups[1];
  CHECK(shop.images == std::vector<named_image>{{"db", "1"}, {"web", "1"}});
  CHECK(shop.accesses == std::vector<group_access>{{"bin/web", 0ms, 0ns, 0, 1},
                                                   {"bin/db", 300ms, 7ns, 1, 0},
                                                   {"lib", 500ms, 0ns, 2, 1}});
  std::reverse(traces.begin(), traces.end());
  CHECK(collect_groups(traces) == groups);
}
