#include "model/joint_order.hpp"

#include <algorithm>

namespace firstlight {
namespace {

using std::chrono::milliseconds;

/// Where a run stands: by time if both orders know it, else by its number.
milliseconds place_of(const content_order& order, std::size_t run, bool by_time) {
  if (!by_time) return milliseconds(run);
  return order.positions[std::min(run, order.positions.size() - 1)];
}

}  // namespace

content_order with_loans(const content_order& own, const content_order& loans, milliseconds offset) {
  const bool by_time = !own.positions.empty() && !loans.positions.empty();
  const auto own_guessed = std::min(own.guessed_runs, own.runs.size());
  const auto loans_guessed = std::min(loans.guessed_runs, loans.runs.size());
  content_order joint;
  joint.runs.reserve(own.runs.size() + loans_guessed);
  std::size_t mine = 0;
  std::size_t lent = 0;
  while (mine < own_guessed || lent < loans_guessed) {
    const auto my_place = mine < own_guessed ? place_of(own, mine, by_time) : never_expected;
    const auto shift = by_time ? offset : milliseconds(0);
    const auto lent_place = lent < loans_guessed ? place_of(loans, lent, by_time) + shift : never_expected;
    const bool take_mine = my_place <= lent_place;
    joint.runs.push_back(take_mine ? own.runs[mine++] : loans.runs[lent++]);
    if (by_time) joint.positions.push_back(take_mine ? my_place : std::max(lent_place, milliseconds(0)));
  }
  joint.guessed_runs = joint.runs.size();
  joint.runs.insert(joint.runs.end(), own.runs.begin() + static_cast<std::ptrdiff_t>(own_guessed),
                    own.runs.end());
  return joint;
}

}  // namespace firstlight
