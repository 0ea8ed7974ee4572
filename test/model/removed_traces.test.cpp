#include "model/removed_traces.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace firstlight;

namespace {

using keys = std::vector<std::string>;

const std::vector<trace_removal> removals{{"5e", true}, {"2b"}, {"4d", true}, {"1a", true}, {"3c"}};

}  // namespace

TEST_CASE("removals of long ago are forgotten, whatever they are of") {
  CHECK(forgotten_removals(removals, "0", 5).empty());
  auto forgotten = forgotten_removals(removals, "3", 5);
  std::sort(forgotten.begin(), forgotten.end());
  CHECK(forgotten == keys{"1a", "2b"});
  CHECK(forgotten_removals(removals, "9", 5).size() == 5);
}

TEST_CASE("of too many removals those go first whose traces may return, the oldest before others") {
  CHECK(forgotten_removals(removals, "0", 4) == keys{"1a"});
  CHECK(forgotten_removals(removals, "0", 2) == keys{"1a", "4d", "5e"});
  CHECK(forgotten_removals(removals, "0", 1) == keys{"1a", "4d", "5e", "2b"});
  CHECK(forgotten_removals(removals, "0", 0) == keys{"1a", "4d", "5e", "2b", "3c"});
  CHECK(forgotten_removals({}, "0", 0).empty());
}

TEST_CASE("what is forgotten for its age makes room for the others") {
  CHECK(forgotten_removals(removals, "2", 4) == keys{"1a"});
  CHECK(forgotten_removals(removals, "2", 3) == keys{"1a", "4d"});
}
