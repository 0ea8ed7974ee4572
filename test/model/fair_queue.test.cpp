#include "model/fair_queue.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

using namespace firstlight;

TEST_CASE("a slow owner has its share of the places, and the others the rest") {
  fair_queue<int> queue(3, 2);
  for (const int one : {1, 2, 3}) queue.add("slow", one);
  CHECK(queue.take()->second == 1);
  CHECK(queue.take()->second == 2);
  CHECK_FALSE(queue.take());
  queue.add("tall", 10);
  queue.add("wide", 20);
  CHECK(queue.take()->second == 10);
  CHECK_FALSE(queue.take());  // no place
  queue.done("tall");
  CHECK(queue.take()->second == 20);
  queue.done("slow");
  CHECK(queue.take()->second == 3);
}

TEST_CASE("owners take turns") {
  fair_queue<int> queue(1, 1);
  for (const int one : {1, 2, 3}) queue.add("a", one);
  queue.add("b", 10);
  std::vector<int> taken;
  while (const auto next = queue.take()) {
    taken.push_back(next->second);
    queue.done(next->first);
  }
  CHECK(taken == std::vector{1, 10, 2, 3});
}

TEST_CASE("whatever comes and goes, limits hold, each owner's order is kept and nothing is lost") {
  CHECK(rc::check([](const std::vector<std::uint8_t>& steps) {
    const auto places = *rc::gen::inRange<std::size_t>(1, 5);
    const auto share = *rc::gen::inRange<std::size_t>(1, 4);
    fair_queue<int> queue(places, share);
    std::vector<std::string> there;  // owners of what has a place
    std::map<std::string, std::vector<int>> served;
    int added = 0;
    const auto serve = [&] {
      while (auto next = queue.take()) {
        there.push_back(next->first);
        served[next->first].push_back(next->second);
        RC_ASSERT(there.size() <= places);
        RC_ASSERT(static_cast<std::size_t>(std::count(there.begin(), there.end(), next->first)) <= share);
      }
    };
    const auto leave = [&](std::size_t which) {
      queue.done(there[which]);
      there.erase(there.begin() + static_cast<std::ptrdiff_t>(which));
      serve();
    };
    for (const auto step : steps) {
      if (step % 2 == 0 || there.empty())
        queue.add(std::string(1, static_cast<char>('a' + step / 2 % 4)), added++);
      else
        leave(step / 2 % there.size());
      serve();
    }
    while (!there.empty()) leave(0);
    std::size_t all = 0;
    for (const auto& [owner, own] : served) {
      RC_ASSERT(std::is_sorted(own.begin(), own.end()));
      all += own.size();
    }
    RC_ASSERT(all == static_cast<std::size_t>(added));
  }));
}
