#include "model/version_map.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>

using namespace firstlight;

TEST_CASE("without anchors all keeps its share of the file") {
  const version_map map(1000, 2000);
  CHECK(map.anchors() == 0);
  CHECK(map.at(0) == 0);
  CHECK(map.at(250) == 500);
  CHECK(map.at(1000) == 2000);
  CHECK(map.at(5000) == 2000);
  CHECK(version_map(0, 100).at(0) == 100);
  CHECK(version_map(100, 0).at(50) == 0);
}

TEST_CASE("between two anchors all keeps its share of the way") {
  const version_map map(1000, 2000, {{500, 1500}, {100, 100}});
  CHECK(map.anchors() == 2);
  CHECK(map.at(50) == 50);
  CHECK(map.at(100) == 100);
  CHECK(map.at(300) == 800);
  CHECK(map.at(500) == 1500);
  CHECK(map.at(750) == 1750);
  CHECK(map.gap(50) == 100);
  CHECK(map.gap(100) == 1400);
  CHECK(map.gap(999) == 500);
  CHECK(map.gap(5000) == 500);
}

TEST_CASE("what lies between two anchors may have moved with either of them") {
  const version_map grown(1000, 1300, {{100, 100}, {200, 500}});
  CHECK(grown.earliest(100) == 100);
  CHECK(grown.earliest(150) == 150);
  CHECK(grown.latest(150) == 450);
  CHECK(grown.latest(200) == 500);
  CHECK(grown.earliest(200) == 500);
  CHECK(grown.latest(100) == 100);
  const version_map shrunk(1000, 700, {{100, 100}, {500, 200}});
  CHECK(shrunk.earliest(150) == 100);
  CHECK(shrunk.latest(150) == 150);
  CHECK(shrunk.earliest(450) == 150);
  CHECK(shrunk.latest(450) == 200);
  for (const auto& map : {grown, shrunk}) {
    CHECK(map.earliest(0) == 0);
    CHECK(map.latest(0) == 0);
    CHECK(map.earliest(1000) == map.at(1000));
    CHECK(map.latest(5000) == map.at(1000));
  }
}

TEST_CASE("parts that have changed places are left out, the fewest that can be") {
  const version_map map(1000, 1000, {{100, 100}, {200, 900}, {300, 300}, {400, 400}, {500, 50}});
  CHECK(map.anchors() == 3);
  CHECK(map.at(200) == 200);
  CHECK(map.at(500) == 500);
}

TEST_CASE("of anchors of one place one counts, and none outside of the files") {
  CHECK(version_map(1000, 1000, {{100, 100}, {100, 200}, {100, 300}}).anchors() == 1);
  CHECK(version_map(1000, 1000, {{100, 100}, {200, 100}}).anchors() == 1);
  CHECK(version_map(1000, 1000, {{0, 10}, {10, 0}, {1000, 10}, {10, 1000}, {2000, 2000}}).anchors() == 0);
}

TEST_CASE("a version map never falls, stays inside, and is exact at a chain's anchors") {
  CHECK(rc::check([] {
    const auto before = *rc::gen::inRange<std::uint64_t>(1, 1000);
    const auto now = *rc::gen::inRange<std::uint64_t>(1, 1000);
    std::vector<version_anchor> rising;
    const auto steps = *rc::gen::container<std::vector<std::pair<std::uint64_t, std::uint64_t>>>(
        rc::gen::pair(rc::gen::inRange<std::uint64_t>(1, 50), rc::gen::inRange<std::uint64_t>(1, 50)));
    version_anchor last{};
    for (const auto& [was, is] : steps) {
      last = {last.before + was, last.now + is};
      if (last.before < before && last.now < now) rising.push_back(last);
    }
    auto shuffled = rising;
    std::reverse(shuffled.begin(), shuffled.end());
    const version_map map(before, now, shuffled);
    RC_ASSERT(map.anchors() == rising.size());
    for (const auto& anchor : rising) RC_ASSERT(map.at(anchor.before) == anchor.now);
    for (std::uint64_t at = 0; at <= before; ++at) {
      RC_ASSERT(map.at(at) <= now);
      RC_ASSERT(at == 0 || map.at(at) >= map.at(at - 1));
      RC_ASSERT(map.latest(at) <= now);
      RC_ASSERT(at == 0 || map.earliest(at) >= map.earliest(at - 1));
      RC_ASSERT(at == 0 || map.latest(at) >= map.latest(at - 1));
      RC_ASSERT(at == 0 || map.latest(at) >= map.earliest(at - 1));
    }
  }));
}
