// Parked requests from several threads at once, without a FUSE session behind them.
#include "fuse_bridge/parked_reads.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "fuse_bridge/libfuse.hpp"

/// In place of libfuse's: these requests have no session that could be asked.
extern "C" int fuse_req_interrupted(fuse_req_t) {
  return 0;
}

using namespace firstlight;

TEST_CASE("of requests that threads park, each is owed to exactly one who takes it") {
  constexpr std::uint32_t workers = 4;
  constexpr std::uint32_t rounds = 2'000;
  constexpr std::uint32_t parked_max = 100;
  parked_reads parked(parked_max);
  const auto mount = std::make_shared<session_counters>();
  const auto other = std::make_shared<session_counters>();
  std::atomic<std::size_t> accepted{0};
  std::atomic<std::size_t> taken{0};
  std::atomic<int> unexpected{0};
  std::atomic<bool> over{false};
  std::vector<std::vector<waiter_id>> ids(workers);
  std::vector<std::thread> threads;
  for (std::uint32_t worker = 0; worker < workers; ++worker)
    threads.emplace_back([&, worker] {
      for (std::uint32_t round = 0; round < rounds; ++round) {
        const auto id = parked.next_id();
        ids[worker].push_back(id);
        parked_request request{.counters = round % 2 == 0 ? mount : other, .thread = worker};
        const auto outcome = parked.park(id, request);
        if (!outcome && outcome.error().code != errc::limit_exceeded) ++unexpected;
        if (!outcome) continue;
        ++accepted;
        if (const auto thread = parked.thread_of(id); thread && *thread != worker) ++unexpected;
        if (round % 3 != 0 && parked.take(id)) ++taken;
        if (parked.size() > parked_max) ++unexpected;
      }
    });
  std::thread unmounting([&] {
    while (!over) {
      for (const auto& one : parked.take_of(*mount)) {
        if (one.counters != mount) ++unexpected;
        ++taken;
      }
      std::this_thread::yield();
    }
  });
  for (auto& thread : threads) thread.join();
  over = true;
  unmounting.join();
  taken += parked.close().size();
  CHECK(taken == accepted);
  CHECK(accepted > 0);
  CHECK(unexpected == 0);
  CHECK(parked.size() == 0);
  std::set<waiter_id> all;
  for (const auto& own : ids) all.insert(own.begin(), own.end());
  CHECK(all.size() == workers * rounds);
  const auto late = parked.park(parked.next_id(), {});
  REQUIRE_FALSE(late);
  CHECK(late.error().code == errc::cancelled);
}
