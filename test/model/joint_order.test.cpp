#include "model/joint_order.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

content_order order_of(std::uint32_t first_content, std::size_t runs, std::size_t guessed, bool timed) {
  content_order order;
  for (std::uint32_t i = 0; i < runs; ++i) order.runs.push_back({first_content + i, 0, 1});
  order.guessed_runs = guessed;
  auto at = 0ms;
  for (std::size_t i = 0; timed && i < guessed; ++i) {
    at += std::chrono::milliseconds(*rc::gen::inRange(0, 50));
    order.positions.push_back(at);
  }
  return order;
}

std::vector<std::uint32_t> contents_of(const content_order& order) {
  std::vector<std::uint32_t> all;
  for (const auto& run : order.runs) all.push_back(run.content);
  return all;
}

}  // namespace

TEST_CASE("what is lent takes its place by time, shifted by how much later its start begins") {
  const content_order own{{{1, 0, 1}, {2, 0, 1}, {3, 0, 1}}, 2, {10ms, 30ms}};
  const content_order loans{{{7, 0, 1}, {8, 0, 1}}, 2, {0ms, 15ms}};
  CHECK(contents_of(with_loans(own, loans, 0ms)) == std::vector<std::uint32_t>{7, 1, 8, 2, 3});
  CHECK(contents_of(with_loans(own, loans, 12ms)) == std::vector<std::uint32_t>{1, 7, 8, 2, 3});
  CHECK(contents_of(with_loans(own, loans, 1s)) == std::vector<std::uint32_t>{1, 2, 7, 8, 3});
  CHECK(with_loans(own, loans, -1s).positions.front() == 0ms);
}

TEST_CASE("without times they take turns") {
  const content_order own{{{1, 0, 1}, {2, 0, 1}, {3, 0, 1}}, 3, {}};
  const content_order loans{{{7, 0, 1}, {8, 0, 1}}, 2, {5ms, 6ms}};
  const auto joint = with_loans(own, loans, 0ms);
  CHECK(contents_of(joint) == std::vector<std::uint32_t>{1, 7, 2, 8, 3});
  CHECK(joint.positions.empty());
}

TEST_CASE("a joint order has all of both, each in its own order, and what is expected in front") {
  rc::check([] {
    const auto guessed = *rc::gen::inRange<std::size_t>(0, 8);
    const auto own =
        order_of(0, guessed + *rc::gen::inRange<std::size_t>(0, 5), guessed, *rc::gen::arbitrary<bool>());
    const auto lent = *rc::gen::inRange<std::size_t>(0, 8);
    const auto loans = order_of(100, lent, lent, *rc::gen::arbitrary<bool>());
    const auto offset = std::chrono::milliseconds(*rc::gen::inRange(-200, 200));
    const auto joint = with_loans(own, loans, offset);
    RC_ASSERT(joint.runs.size() == own.runs.size() + lent);
    RC_ASSERT(joint.guessed_runs == guessed + lent);
    for (const auto& part : {own.runs, loans.runs}) {
      std::vector<block_run> kept;
      for (const auto& run : joint.runs)
        if (std::find(part.begin(), part.end(), run) != part.end()) kept.push_back(run);
      RC_ASSERT(kept == part);
    }
    RC_ASSERT(joint.positions.empty() || joint.positions.size() == joint.guessed_runs);
    RC_ASSERT(std::is_sorted(joint.positions.begin(), joint.positions.end()));
  });
}
