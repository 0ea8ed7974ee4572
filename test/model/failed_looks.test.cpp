#include "model/failed_looks.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

constexpr failed_look_limits limits{.wait_first = 5s, .wait_max = 60s, .in_vain_max = 3};

}  // namespace

TEST_CASE("looks at what programs use become rarer, down to a limit, and do not end") {
  failed_looks core(limits);
  std::vector<std::chrono::milliseconds> waits{core.begin().wait};
  for (int look = 0; look < 5; ++look) waits.push_back(core.in_use().wait);
  CHECK(waits == std::vector<std::chrono::milliseconds>{5s, 10s, 20s, 40s, 60s, 60s});
  for (int look = 0; look < 1000; ++look) CHECK(core.in_use().wait == 60s);
}

TEST_CASE("looks end when too many in a row find nothing to wait for") {
  failed_looks core(limits);
  CHECK(core.begin() == failed_looks::look{1, 5s});
  CHECK(core.in_vain() == failed_looks::look{2, 10s});
  CHECK(core.in_vain() == failed_looks::look{3, 20s});
  CHECK_FALSE(core.in_vain());
  CHECK_FALSE(core.in_vain());
}

TEST_CASE("a look that finds programs counts those in vain anew, and waits as long as was its turn") {
  failed_looks core(limits);
  CHECK(core.begin().wait == 5s);
  CHECK(core.in_vain());
  CHECK(core.in_vain());
  CHECK(core.in_use().wait == 40s);
  CHECK(core.in_vain());
  CHECK(core.in_vain());
  CHECK_FALSE(core.in_vain());
}

TEST_CASE("looks that begin anew are as frequent and as many as the first time") {
  failed_looks core(limits);
  CHECK(core.begin().wait == 5s);
  while (core.in_vain()) {
  }
  CHECK(core.begin().wait == 5s);
  CHECK(core.in_vain().value().wait == 10s);
  CHECK(core.in_vain());
  CHECK_FALSE(core.in_vain());
}

TEST_CASE("of the looks that are to come only the last one planned counts") {
  failed_looks core(limits);
  const auto early = core.begin().number;
  CHECK(core.counts(early));
  const auto late = core.begin().number;
  CHECK_FALSE(core.counts(early));
  CHECK(core.counts(late));
  CHECK_FALSE(core.counts(0));
}
