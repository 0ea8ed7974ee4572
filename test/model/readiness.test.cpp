#include "model/readiness.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <map>

#include "model/runs.hpp"

using namespace firstlight;

namespace {

using runs = std::vector<block_run>;
using ids = std::vector<waiter_id>;

}  // namespace

TEST_CASE("a reader goes on when all of its blocks are there") {
  readiness core;
  CHECK(core.park(waiter_id{1}, runs{{5, 2, 2}, {5, 6, 1}}) == runs{{5, 2, 2}, {5, 6, 1}});
  CHECK(core.arrived(runs{{5, 0, 3}}).empty());
  CHECK(core.arrived(runs{{5, 6, 1}, {4, 0, 100}}).empty());
  CHECK(core.arrived(runs{{5, 3, 1}}) == ids{waiter_id{1}});
  CHECK(core.waiting() == 0);
}

TEST_CASE("a block is asked for once, however many readers wait for it") {
  readiness core;
  CHECK(core.park(waiter_id{1}, runs{{5, 2, 2}}) == runs{{5, 2, 2}});
  CHECK(core.park(waiter_id{2}, runs{{5, 3, 2}}) == runs{{5, 4, 1}});
  CHECK(core.park(waiter_id{3}, runs{{5, 2, 3}}) == runs{});
  CHECK(core.arrived(runs{{5, 2, 3}}) == ids{waiter_id{1}, waiter_id{2}, waiter_id{3}});
}

TEST_CASE("blocks that somebody waits for are counted once, however many wait") {
  readiness core;
  REQUIRE(core.park(waiter_id{1}, runs{{5, 2, 2}}));
  REQUIRE(core.park(waiter_id{2}, runs{{5, 3, 2}}));
  CHECK(core.awaited(runs{{5, 0, 10}}) == 3);
  CHECK(core.awaited(runs{{5, 3, 1}, {4, 3, 1}}) == 1);
  CHECK(core.awaited(runs{{5, 5, 10}}) == 0);
  REQUIRE(core.arrived(runs{{5, 3, 1}}).empty());
  CHECK(core.awaited(runs{{5, 0, 10}}) == 2);
}

TEST_CASE("readers of failed blocks fail, others wait on") {
  readiness core;
  REQUIRE(core.park(waiter_id{1}, runs{{5, 2, 2}}));
  REQUIRE(core.park(waiter_id{2}, runs{{5, 3, 1}}));
  CHECK(core.failed(runs{{5, 2, 1}}) == ids{waiter_id{1}});
  CHECK(core.arrived(runs{{5, 3, 1}}) == ids{waiter_id{2}});
  CHECK(core.park(waiter_id{3}, runs{{5, 2, 1}}) == runs{{5, 2, 1}});
  CHECK(core.failed(runs{{5, 2, 2}, {5, 2, 1}}) == ids{waiter_id{3}});
}

TEST_CASE("a killed reader is forgotten, and told whether it waited") {
  readiness core;
  REQUIRE(core.park(waiter_id{1}, runs{{5, 2, 2}}));
  CHECK(core.forget(waiter_id{1}));
  CHECK_FALSE(core.forget(waiter_id{1}));
  CHECK(core.arrived(runs{{5, 2, 2}}).empty());
}

TEST_CASE("after a reconnect all that is still waited for is asked for anew") {
  readiness core;
  REQUIRE(core.park(waiter_id{1}, runs{{5, 2, 2}}));
  REQUIRE(core.park(waiter_id{2}, runs{{7, 0, 1}}));
  REQUIRE(core.park(waiter_id{3}, runs{{5, 3, 2}}));
  REQUIRE(core.forget(waiter_id{2}));
  CHECK(core.re_ask() == runs{{5, 2, 3}});
  CHECK(core.park(waiter_id{4}, runs{{5, 4, 1}, {7, 0, 1}}) == runs{{7, 0, 1}});
}

TEST_CASE("limits of readers are kept and named") {
  readiness core({.waiters_max = 2, .blocks_per_waiter_max = 4});
  CHECK(core.park(waiter_id{1}, runs{{5, 0, 5}}).error().code == errc::invalid_argument);
  CHECK(core.park(waiter_id{1}, runs{}).error().code == errc::invalid_argument);
  REQUIRE(core.park(waiter_id{1}, runs{{5, 0, 4}}));
  CHECK(core.park(waiter_id{1}, runs{{5, 0, 4}}).error().code == errc::already_exists);
  REQUIRE(core.park(waiter_id{2}, runs{{5, 0, 4}}));
  CHECK(core.park(waiter_id{3}, runs{{5, 0, 4}}).error().code == errc::busy);
  CHECK(core.clear().size() == 2);
  CHECK(core.park(waiter_id{3}, runs{{5, 0, 4}}) == runs{{5, 0, 4}});
}

TEST_CASE("ten thousand readers of one block or of as many contents are served") {
  for (const auto spread : {0U, 1U}) {
    readiness core;
    for (std::uint32_t i = 0; i < 10'000; ++i) REQUIRE(core.park(waiter_id{i}, runs{{i * spread, 3, 1}}));
    for (std::uint32_t i = 0; i < 10'000; i += 2) REQUIRE(core.forget(waiter_id{i}));
    std::size_t served = 0;
    for (std::uint32_t i = 0; i < 10'000; ++i) served += core.arrived(runs{{i, 0, 4}}).size();
    CHECK(served == 5000);
    CHECK(core.waiting() == 0);
  }
}

TEST_CASE("whatever happens, a reader is answered exactly when its last block is") {
  CHECK(rc::check([] {
    readiness core;
    std::map<std::uint64_t, std::map<std::uint64_t, bool>> waiting;  // reader -> its missing blocks
    std::uint64_t next = 0;
    for (const auto action : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4))) {
      const block_run run{*rc::gen::inRange(0U, 3U), *rc::gen::inRange(0U, 10U), *rc::gen::inRange(1U, 4U)};
      ids expected;
      if (action <= 1) {
        RC_ASSERT(core.park(waiter_id{next}, runs{run}).has_value());
        for (std::uint32_t i = 0; i < run.count; ++i)
          waiting[next][block_key(run.content, run.first + i)] = true;
        ++next;
        continue;
      }
      for (auto reader = waiting.begin(); reader != waiting.end();) {
        bool touched = false;
        for (std::uint32_t i = 0; i < run.count; ++i)
          touched = reader->second.erase(block_key(run.content, run.first + i)) > 0 || touched;
        const bool answered = touched && (action == 3 || reader->second.empty());
        if (answered) expected.push_back(waiter_id{reader->first});
        reader = answered ? waiting.erase(reader) : std::next(reader);
      }
      auto answered = action == 2 ? core.arrived(runs{run}) : core.failed(runs{run});
      std::sort(answered.begin(), answered.end());
      RC_ASSERT(answered == expected);
      RC_ASSERT(core.waiting() == waiting.size());
    }
  }));
}
