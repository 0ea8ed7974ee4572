#include "model/plan.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "model/runs.hpp"

using namespace firstlight;

namespace {

content_info content(std::uint32_t number, std::uint64_t size) {
  content_info info{{}, size};
  std::memcpy(info.id.root.bytes.data(), &number, sizeof number);
  return info;
}

struct scene {
  std::vector<content_info> contents;
  block_geometry geometry{4096};
  had_contents had;
  content_order order;
  std::vector<patch_base> patches;
  plan_limits limits{.first_segment_bytes = 16 * 1024,
                     .segment_bytes_max = 64 * 1024,
                     .segment_runs_max = 8,
                     .patch_piece_bytes = 32 * 1024};

  [[nodiscard]] bundle_plan plan() const {
    return plan_bundle({contents, geometry, had, order, patches, limits});
  }
  [[nodiscard]] bool lacks(std::uint32_t index, std::uint32_t block) const {
    if (had.has_all(index)) return false;
    const auto partial = had.partial.find(index);
    return partial == had.partial.end() || !partial->second.contains(block);
  }
};

scene random_scene() {
  scene s;
  const auto sizes =
      *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(1, 200'000));
  for (const auto size : sizes)
    s.contents.push_back(content(static_cast<std::uint32_t>(s.contents.size()), size));
  const auto count = static_cast<std::uint32_t>(sizes.size());
  s.had.complete = block_set(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto kind = *rc::gen::inRange(0, 6);
    const auto blocks = s.geometry.count(sizes[i]);
    if (kind == 0) s.had.complete.insert(i, 1);
    if (kind == 1) {
      block_set some(blocks);
      some.insert(*rc::gen::inRange(0U, blocks), *rc::gen::inRange(0U, blocks));
      s.had.partial.emplace(i, some);
    }
    if (kind == 2) s.patches.push_back({i, content(1000 + i, 5000)});
  }
  const auto run =
      rc::gen::build<block_run>(rc::gen::set(&block_run::content, rc::gen::inRange(0U, count + 2)),
                                rc::gen::set(&block_run::first, rc::gen::inRange(0U, 60U)),
                                rc::gen::set(&block_run::count, rc::gen::inRange(0U, 20U)));
  s.order.runs = *rc::gen::container<std::vector<block_run>>(run);
  s.order.guessed_runs = *rc::gen::inRange<std::size_t>(0, s.order.runs.size() + 2);
  return s;
}

std::vector<block_run> single_blocks(const planned_segment& segment) {
  std::vector<block_run> blocks;
  for (const auto& run : segment.runs)
    for (std::uint32_t i = 0; i < run.count; ++i) blocks.push_back({run.content, run.first + i, 1});
  return blocks;
}

}  // namespace

TEST_CASE("a plan holds every block that the node lacks exactly once, and no other") {
  CHECK(rc::check([] {
    const auto s = random_scene();
    std::map<block_run, int> planned;
    for (const auto& segment : s.plan().segments)
      for (const auto& block : single_blocks(segment)) ++planned[block];
    std::size_t lacking = 0;
    for (std::uint32_t i = 0; i < s.contents.size(); ++i)
      for (std::uint32_t block = 0; block < s.geometry.count(s.contents[i].size); ++block)
        if (s.lacks(i, block)) {
          ++lacking;
          RC_ASSERT((planned[{i, block, 1}]) == 1);
        }
    RC_ASSERT(planned.size() == lacking);
  }));
}

TEST_CASE("a plan's segments keep their limits and count their bytes") {
  CHECK(rc::check([] {
    const auto s = random_scene();
    const auto plan = s.plan();
    std::uint64_t total = 0;
    for (const auto& segment : plan.segments) {
      std::uint64_t bytes = 0;
      for (const auto& run : segment.runs)
        bytes += s.geometry.length(s.contents[run.content].size, run.first, run.count);
      total += bytes;
      RC_ASSERT(!segment.runs.empty());
      RC_ASSERT(bytes == segment.bytes);
      RC_ASSERT(segment.runs.size() <= s.limits.segment_runs_max);
      RC_ASSERT(bytes <= (segment.patch_base ? s.limits.patch_piece_bytes : s.limits.segment_bytes_max));
    }
    RC_ASSERT(total == plan.bytes);
  }));
}

TEST_CASE("all guessed blocks come before the guessed landmark, and equal requests give equal plans") {
  CHECK(rc::check([] {
    const auto s = random_scene();
    const auto plan = s.plan();
    RC_ASSERT(plan == s.plan());
    RC_ASSERT(plan.landmarks.size() == 2U);
    RC_ASSERT(plan.landmarks[0].mark == landmark::guessed);
    RC_ASSERT(plan.landmarks[1].after == plan.segments.size());
    std::set<std::uint64_t> early;
    for (std::uint32_t i = 0; i < plan.landmarks[0].after; ++i)
      for (const auto& block : single_blocks(plan.segments[i]))
        early.insert(block_key(block.content, block.first));
    for (std::size_t i = 0; i < std::min(s.order.guessed_runs, s.order.runs.size()); ++i) {
      const auto& run = s.order.runs[i];
      if (run.content >= s.contents.size()) continue;
      const auto blocks = s.geometry.count(s.contents[run.content].size);
      for (auto block = run.first; block < std::min(blocks, run.first + run.count); ++block)
        if (s.lacks(run.content, block)) RC_ASSERT(early.contains(block_key(run.content, block)));
    }
  }));
}

TEST_CASE("a patched content travels alone, in pieces against its base") {
  CHECK(rc::check([] {
    const auto s = random_scene();
    std::map<std::uint32_t, content_info> bases;
    for (const auto& patch : s.patches) bases.emplace(patch.content, patch.base);
    for (const auto& segment : s.plan().segments)
      for (const auto& run : segment.runs) {
        const auto base = bases.find(run.content);
        RC_ASSERT(segment.patch_base.has_value() == (base != bases.end()));
        if (!segment.patch_base) continue;
        RC_ASSERT(*segment.patch_base == base->second);
        RC_ASSERT(run.content == segment.runs.front().content);
      }
  }));
}

TEST_CASE("a plan sends the order first, then the rest of its files, then small before large") {
  scene s;
  s.limits.segment_bytes_max = s.limits.first_segment_bytes = 4096;
  s.contents = {content(0, 1 << 20), content(1, 3 * 4096), content(2, 100)};
  s.order = {{{1, 2, 1}}, 1};
  const auto plan = s.plan();
  REQUIRE(plan.segments.size() == 3 + 1 + 256);
  CHECK(plan.segments[0].runs == std::vector<block_run>{{1, 2, 1}});
  CHECK(plan.segments[1].runs == std::vector<block_run>{{1, 0, 1}});
  CHECK(plan.segments[2].runs == std::vector<block_run>{{1, 1, 1}});
  CHECK(plan.segments[3].runs == std::vector<block_run>{{2, 0, 1}});
  CHECK(plan.segments[4].runs == std::vector<block_run>{{0, 0, 1}});
  CHECK(plan.landmarks[0].after == 1);
}

TEST_CASE("the first segments are small so that a start is served early, later ones large") {
  scene s;
  s.limits = {};
  s.geometry = {};
  s.contents = {content(0, 16 << 20)};
  const auto plan = s.plan();
  CHECK(plan.segments[0].bytes == 128 * 1024);
  CHECK(plan.segments[2].bytes == 256 * 1024);
  CHECK(plan.segments.back().bytes <= 1024 * 1024);
  CHECK(plan.segments[8].bytes == 1024 * 1024);
}

TEST_CASE("a node that has everything is sent nothing, and both landmarks at once") {
  scene s;
  s.contents = {content(0, 1 << 20), content(1, 5)};
  s.had.complete = block_set(2);
  s.had.complete.insert(0, 2);
  const auto plan = s.plan();
  CHECK(plan.segments.empty());
  CHECK(plan.landmarks == std::vector<planned_landmark>{{landmark::guessed, 0}, {landmark::complete, 0}});
}

TEST_CASE("nodes that hold a few contents share most segments with nodes that hold none") {
  scene s;
  s.geometry = {};
  s.limits = {};
  for (std::uint32_t i = 0; i < 5000; ++i) s.contents.push_back(content(i, 1000 + (i * 7919ULL) % 60'000));
  for (std::uint32_t i = 0; i < 400; ++i) s.order.runs.push_back({(i * 37) % 5000, 0, 2});
  s.order.guessed_runs = 400;
  const auto fresh = s.plan();
  s.had.complete = block_set(5000);
  for (std::uint32_t i = 0; i < 5; ++i) s.had.complete.insert(i * 1000, 1);
  const auto partly = s.plan();
  std::size_t equal = 0;
  for (const auto& segment : partly.segments)
    equal +=
        std::find(fresh.segments.begin(), fresh.segments.end(), segment) != fresh.segments.end() ? 1U : 0U;
  INFO(equal << " of " << partly.segments.size() << " segments are equal");
  CHECK(equal * 100 >= partly.segments.size() * 90);
}

TEST_CASE("what is left of segments that a node holds in part is merged") {
  scene s;
  s.geometry = {};
  s.limits = {};
  s.had.complete = block_set(4000);
  for (std::uint32_t i = 0; i < 4000; ++i) {
    s.contents.push_back(content(i, 16 * 1024));
    if (i % 16 != 0) s.had.complete.insert(i, 1);
  }
  const auto plan = s.plan();
  CHECK(plan.bytes == 250U * 16 * 1024);
  CHECK(plan.segments.size() <= 12);
}
