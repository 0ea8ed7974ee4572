#include "model/sending_queue.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <vector>

using namespace firstlight;

namespace {

using queue = sending_queue<int>;

std::vector<int> take_all(queue& from) {
  std::vector<int> taken;
  while (auto item = from.take()) taken.push_back(*item);
  return taken;
}

}  // namespace

TEST_CASE("items leave in the order in which they were begun, wanted ones before all that is built") {
  queue sent;
  const auto first = sent.begin(queue::row::planned);
  const auto second = sent.begin(queue::row::planned);
  const auto wanted = sent.begin(queue::row::wanted);
  sent.fill(second, 2);
  CHECK_FALSE(sent.ready());
  CHECK(take_all(sent).empty());
  sent.fill(wanted, 3);
  CHECK(sent.ready());
  CHECK(take_all(sent) == std::vector{3});
  sent.fill(first, 1);
  CHECK(take_all(sent) == std::vector{1, 2});
  CHECK(sent.empty());
}

TEST_CASE("a place that is given back holds nobody up") {
  queue sent;
  const auto first = sent.begin(queue::row::planned);
  sent.fill(sent.begin(queue::row::planned), 2);
  sent.give_back(first);
  CHECK(take_all(sent) == std::vector{2});
}

TEST_CASE("what is wanted leaves as soon as it is built, also before what was wanted earlier") {
  queue sent;
  const auto slow = sent.begin(queue::row::wanted);
  sent.fill(sent.begin(queue::row::planned), 1);
  sent.fill(sent.begin(queue::row::wanted), 2);
  CHECK(take_all(sent) == std::vector{2, 1});
  sent.fill(slow, 3);
  CHECK(take_all(sent) == std::vector{3});
}

TEST_CASE("however long each is built, the plan leaves in order and nothing is lost") {
  CHECK(rc::check([](const std::vector<bool>& wanted) {
    queue sent;
    std::vector<std::pair<queue::place, int>> open;
    for (std::size_t i = 0; i < wanted.size(); ++i)
      open.emplace_back(sent.begin(wanted[i] ? queue::row::wanted : queue::row::planned),
                        static_cast<int>(i));
    std::vector<int> of_row[2];
    while (!open.empty()) {
      const auto at = *rc::gen::inRange<std::size_t>(0, open.size());
      sent.fill(open[at].first, open[at].second);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
      for (const auto item : take_all(sent))
        of_row[wanted[static_cast<std::size_t>(item)] ? 1 : 0].push_back(item);
      RC_ASSERT_FALSE(sent.ready());
    }
    RC_ASSERT(sent.empty());
    RC_ASSERT(of_row[0].size() + of_row[1].size() == wanted.size());
    RC_ASSERT(std::is_sorted(of_row[0].begin(), of_row[0].end()));
  }));
}
