#include "model/relative_order.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

/// Four contents of ten blocks each.
const std::vector<content_info> four(4, content_info{{}, 10 * std::uint64_t{default_block_bytes}});

content_order learned(std::vector<block_run> runs) {
  content_order order{std::move(runs), 0, {}};
  order.guessed_runs = order.runs.size();
  for (std::size_t i = 0; i < order.runs.size(); ++i) order.positions.push_back(10ms * i);
  return order;
}

using runs = std::vector<block_run>;

}  // namespace

TEST_CASE("a relative's order alone stays as it is, and the guess follows") {
  const auto order = order_of_relative(learned({{0, 0, 1}, {1, 4, 2}}), runs{{1, 0, 9}, {0, 0, 9}},
                                       {.read = {0, 1}}, four, {});
  CHECK(order.runs == runs{{0, 0, 1}, {1, 4, 2}, {1, 0, 9}, {0, 0, 9}});
  CHECK(order.guessed_runs == 4);
  CHECK(order.positions == std::vector{0ms, 10ms});
}

TEST_CASE("what the relative has nothing like stands behind the file before it in the guess") {
  const auto taught = learned({{0, 0, 1}, {1, 0, 1}, {0, 5, 1}});
  const runs guess{{0, 0, 1}, {2, 0, 1}, {1, 0, 1}, {3, 0, 4}, {2, 5, 1}};
  const relative_files files{.read = {0, 1}};
  const auto order = order_of_relative(taught, guess, files, four, {});
  CHECK(order.runs ==
        runs{{0, 0, 1}, {2, 0, 1}, {1, 0, 1}, {3, 0, 4}, {2, 5, 1}, {0, 5, 1}, {0, 0, 1}, {1, 0, 1}});
  CHECK(order.positions == std::vector{0ms, 10ms, 10ms, 20ms, 20ms, 20ms});
  // What does not fit stays in the guess.
  const auto less =
      order_of_relative(taught, guess, files, four, {}, {.news_bytes_max = 2 * default_block_bytes});
  CHECK(less.runs ==
        runs{{0, 0, 1}, {2, 0, 1}, {1, 0, 1}, {2, 5, 1}, {0, 5, 1}, {0, 0, 1}, {1, 0, 1}, {3, 0, 4}});
  // A file that the relative was expected to read and did not is no news.
  const auto known = order_of_relative(taught, guess, {.expected = {2, 3}, .read = {0, 1}}, four, {});
  CHECK(known.runs ==
        runs{{0, 0, 1}, {1, 0, 1}, {0, 5, 1}, {0, 0, 1}, {2, 0, 1}, {1, 0, 1}, {3, 0, 4}, {2, 5, 1}});
}

TEST_CASE("of a changed file of which most is read the rest comes midway, of others at the end") {
  const auto taught = learned({{0, 0, 2}, {1, 0, 1}, {0, 4, 2}, {2, 0, 1}, {0, 8, 2}});
  const relative_files files{.read = {0, 1, 2}, .changed = {0, 1}};
  const auto order = order_of_relative(taught, {}, files, four, {});
  CHECK(order.runs ==
        runs{{0, 0, 2}, {1, 0, 1}, {0, 4, 2}, {0, 2, 2}, {0, 6, 2}, {2, 0, 1}, {0, 8, 2}, {1, 1, 9}});
  CHECK(order.guessed_runs == order.runs.size());
  const auto less =
      order_of_relative(taught, {}, files, four, {}, {.changed_bytes_max = 3 * default_block_bytes});
  CHECK(less.runs == runs{{0, 0, 2}, {1, 0, 1}, {0, 4, 2}, {0, 2, 2}, {2, 0, 1}, {0, 8, 2}});
}

TEST_CASE("a changed file whose rest does not fit leaves its room to others") {
  auto large = four;
  large[0].size *= 100;
  const auto taught = learned({{0, 0, 900}, {1, 0, 1}});
  const relative_files files{.expected = {}, .read = {0, 1}, .changed = {0, 1}};
  const auto order =
      order_of_relative(taught, {}, files, large, {}, {.changed_bytes_max = 20 * default_block_bytes});
  CHECK(order.runs == runs{{0, 0, 900}, {1, 0, 1}, {1, 1, 9}});
}

TEST_CASE("what the relative needed by its guess and this image does not is put off") {
  const auto taught = learned({{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {1, 5, 1}});
  const relative_files files{.expected = {0, 1}, .read = {0, 1, 2}, .changed = {1}};
  const auto order = order_of_relative(taught, runs{{0, 0, 2}}, files, four, {});
  CHECK(order.runs == runs{{0, 0, 1}, {2, 0, 1}, {1, 0, 1}, {1, 5, 1}, {0, 0, 2}});
  CHECK(order.positions == std::vector{0ms, 20ms});
  CHECK(order_of_relative(taught, {}, files, four, {}).runs.front() == block_run{0, 0, 1});
  CHECK(order_of_relative(taught, {}, files, four, {}).runs[1] == block_run{1, 0, 1});  // nothing was guessed
}

TEST_CASE("an order of a relative keeps all that it was given, and names only what the image has") {
  CHECK(rc::check([] {
    const auto run = rc::gen::map(
        rc::gen::tuple(rc::gen::inRange(0U, 5U), rc::gen::inRange(0U, 12U), rc::gen::inRange(1U, 5U)),
        [](const auto& parts) { return std::make_from_tuple<block_run>(parts); });
    const auto contents =
        rc::gen::map(rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange(0U, 5U)),
                     [](const std::vector<std::uint32_t>& all) {
                       return std::unordered_set<std::uint32_t>(all.begin(), all.end());
                     });
    const auto taught = learned(*rc::gen::container<runs>(run));
    const auto guess = *rc::gen::container<runs>(run);
    const relative_files files{*contents, *contents, *contents};
    const auto order = order_of_relative(taught, guess, files, four, {});
    RC_ASSERT(order.guessed_runs == order.runs.size());
    RC_ASSERT(order.positions.size() <= order.runs.size());
    RC_ASSERT(std::is_sorted(order.positions.begin(), order.positions.end()));
    const auto has = [&](const block_run& one) {
      return std::find(order.runs.begin(), order.runs.end(), one) != order.runs.end();
    };
    for (const auto& one : taught.runs) RC_ASSERT(has(one) == (one.content < 4));
    for (const auto& one : guess) RC_ASSERT(has(one) == (one.content < 4));
    const auto named = [&](std::uint32_t content, const runs& in) {
      return std::any_of(in.begin(), in.end(), [&](const block_run& one) { return one.content == content; });
    };
    for (const auto content : files.changed)
      if (content < 4 && named(content, taught.runs) &&
          (!files.expected.contains(content) || named(content, guess) || guess.empty())) {
        block_set all(10);
        for (const auto& one : order.runs)
          if (one.content == content && one.first < 10)
            all.insert(one.first, std::min(one.count, 10 - one.first));
        RC_ASSERT(all.complete());
      }
  }));
}
