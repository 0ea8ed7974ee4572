#include "model/trace_transfer.hpp"

#include <catch2/catch.hpp>

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

TEST_CASE("blocks of another version keep their share of the file, with a little beside") {
  CHECK(scaled_run({50, 10, 1ms, 2ms}, 1000, 1010) == traced_run{48, 15, 1ms, 2ms});
  CHECK(scaled_run({0, 4, 1ms, 0ms}, 100, 100) == traced_run{0, 6, 1ms, 0ms});
  CHECK(scaled_run({99, 1, 1ms, 0ms}, 100, 50) == traced_run{48, 2, 1ms, 0ms});
  CHECK(scaled_run({3, 2, 1ms, 0ms}, 7, 9) == traced_run{0, 9, 1ms, 0ms});  // a small file
  CHECK(scaled_run({0, 4, 1ms, 0ms}, 4, 1) == traced_run{0, 1, 1ms, 0ms});
}

TEST_CASE("more stands beside the blocks of a version that differs much") {
  CHECK(scaled_run({50, 10, 1ms, 2ms}, 100, 200) == traced_run{96, 29, 1ms, 2ms});
  CHECK(scaled_run({640, 10, 1ms, 0ms}, 1280, 1260).count == 16);  // 1 in 64: alike
  CHECK(scaled_run({640, 10, 1ms, 0ms}, 1280, 1259).count == 51);
}

TEST_CASE("what a relative has nothing like is taken out of the guess, as much as fits") {
  const std::vector<content_info> contents{content(0), content(1), content(2), content(3)};
  const block_geometry geometry{4096};
  const std::vector<block_run> guess{{0, 0, 1}, {3, 0, 1}, {1, 0, 1}, {9, 0, 1}, {2, 0, 1}};
  const auto each = geometry.length(contents[0].size, 0, 1);
  const auto all = part_guess(guess, {1}, contents, geometry, 10 * each);
  CHECK(all.news == std::vector<block_run>{{0, 0, 1}, {3, 0, 1}, {2, 0, 1}});
  CHECK(all.rest == std::vector<block_run>{{1, 0, 1}});
  const auto some = part_guess(guess, {1}, contents, geometry, 2 * each);
  CHECK(some.news == std::vector<block_run>{{0, 0, 1}, {3, 0, 1}});
  CHECK(some.rest == std::vector<block_run>{{1, 0, 1}, {2, 0, 1}});
  CHECK(part_guess(guess, {}, contents, geometry, 0).news.empty());
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
