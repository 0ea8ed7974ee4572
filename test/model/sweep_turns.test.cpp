#include "model/sweep_turns.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

using namespace firstlight;
using std::chrono::seconds;

namespace {

using numbers = std::vector<turn_number>;

const turn_limits three_at_once{.additions_max = 3, .patience = seconds(60), .hold = seconds(30)};
const instant start{};

/// All additions that begin now; no sweep does.
numbers begun_additions(sweep_turns& turns, instant now) {
  const auto begun = turns.next(now);
  if (!begun) return {};
  CHECK_FALSE(begun->sweep);
  CHECK_FALSE(turns.next(now));
  return begun->additions;
}

/// The removals with which a sweep begins now.
numbers begun_removals(sweep_turns& turns, instant now) {
  const auto begun = turns.next(now);
  REQUIRE(begun);
  CHECK(begun->sweep);
  CHECK(begun->additions.empty());
  CHECK_FALSE(turns.next(now));
  return begun->removals;
}

}  // namespace

TEST_CASE("images are added side by side, as many as may be, in the order in which they came") {
  sweep_turns turns({.additions_max = 2});
  const auto first = turns.ask_addition();
  const auto second = turns.ask_addition();
  const auto third = turns.ask_addition();
  const auto fourth = turns.ask_addition();
  CHECK(begun_additions(turns, start) == numbers{first, second});
  CHECK(turns.additions_wait_for() == addition_delay::others);
  CHECK_FALSE(turns.next_change());
  turns.end_addition();
  CHECK(begun_additions(turns, start) == numbers{third});
  turns.end_addition();
  turns.end_addition();
  CHECK(begun_additions(turns, start) == numbers{fourth});
}

TEST_CASE("no sweep begins before the last addition has ended, and none is added while it runs") {
  sweep_turns turns(three_at_once);
  static_cast<void>(turns.ask_addition());
  static_cast<void>(turns.ask_addition());
  REQUIRE(begun_additions(turns, start).size() == 2);
  turns.want_sweep(start);
  turns.end_addition();
  CHECK_FALSE(turns.next(start));
  turns.end_addition();
  CHECK(begun_removals(turns, start).empty());
  const auto later = turns.ask_addition();
  CHECK_FALSE(turns.next(start));
  CHECK(turns.additions_wait_for() == addition_delay::sweep);
  turns.end_sweep();
  CHECK(begun_additions(turns, start) == numbers{later});
}

TEST_CASE("a sweep begins once for all who wanted one, and again for who wants one while it runs") {
  sweep_turns turns;
  CHECK_FALSE(turns.next(start));
  turns.want_sweep(start);
  turns.want_sweep(start);
  CHECK(begun_removals(turns, start).empty());
  turns.want_sweep(start);
  turns.end_sweep();
  CHECK(begun_removals(turns, start).empty());
  turns.end_sweep();
  CHECK_FALSE(turns.next(start));
}

TEST_CASE("one sweep does for the removals that came one after the other, and says if it is wanted anyway") {
  sweep_turns turns;
  const auto first = turns.ask_removal(start);
  const auto second = turns.ask_removal(start);
  auto begun = turns.next(start);
  REQUIRE(begun);
  CHECK(begun->removals == numbers{first, second});
  CHECK_FALSE(begun->wanted);
  turns.want_sweep(start);
  const auto third = turns.ask_removal(start);
  turns.end_sweep();
  begun = turns.next(start);
  REQUIRE(begun);
  CHECK(begun->removals == numbers{third});
  CHECK(begun->wanted);
}

TEST_CASE("removals and additions that came while a sweep ran take turns as they came") {
  sweep_turns turns(three_at_once);
  static_cast<void>(turns.ask_removal(start));
  REQUIRE(begun_removals(turns, start).size() == 1);
  const auto before = turns.ask_removal(start);
  const auto added = turns.ask_addition();
  const auto behind = turns.ask_removal(start);
  turns.end_sweep();
  CHECK(begun_removals(turns, start) == numbers{before});
  turns.end_sweep();
  CHECK(begun_additions(turns, start) == numbers{added});
  turns.end_addition();
  CHECK(begun_removals(turns, start) == numbers{behind});
}

TEST_CASE("additions pass a removal until it has waited, then they are held back until it begins") {
  sweep_turns turns(three_at_once);
  static_cast<void>(turns.ask_addition());
  REQUIRE(begun_additions(turns, start).size() == 1);
  const auto removal = turns.ask_removal(start);
  CHECK_FALSE(turns.next(start));
  CHECK(turns.next_change() == start + seconds(60));
  const auto passing = turns.ask_addition();
  CHECK(begun_additions(turns, start + seconds(59)) == numbers{passing});
  const auto held = turns.ask_addition();
  CHECK_FALSE(turns.next(start + seconds(60)));
  CHECK(turns.additions_wait_for() == addition_delay::removal);
  CHECK(turns.next_change() == start + seconds(90));
  turns.end_addition();
  CHECK_FALSE(turns.next(start + seconds(61)));
  turns.end_addition();
  CHECK(begun_removals(turns, start + seconds(89)) == numbers{removal});
  turns.end_sweep();
  CHECK(begun_additions(turns, start + seconds(95)) == numbers{held});
}

TEST_CASE("a removal behind a long addition holds others back for a while only, and later once more") {
  sweep_turns turns(three_at_once);
  static_cast<void>(turns.ask_addition());
  REQUIRE(begun_additions(turns, start).size() == 1);
  const auto removal = turns.ask_removal(start);
  CHECK_FALSE(turns.next(start + seconds(60)));
  const auto held = turns.ask_addition();
  CHECK_FALSE(turns.next(start + seconds(89)));
  CHECK(begun_additions(turns, start + seconds(90)) == numbers{held});
  CHECK(turns.next_change() == start + seconds(150));
  const auto passing = turns.ask_addition();
  CHECK(begun_additions(turns, start + seconds(149)) == numbers{passing});
  CHECK_FALSE(turns.next(start + seconds(150)));
  CHECK(turns.additions_wait_for() == addition_delay::removal);
  for (int i = 0; i < 3; ++i) turns.end_addition();
  CHECK(begun_removals(turns, start + seconds(151)) == numbers{removal});
}

TEST_CASE("without a hold additions are never held back") {
  sweep_turns turns({.additions_max = 2, .patience = seconds(0), .hold = seconds(0)});
  static_cast<void>(turns.ask_addition());
  REQUIRE(begun_additions(turns, start).size() == 1);
  static_cast<void>(turns.ask_removal(start));
  CHECK_FALSE(turns.next(start));
  CHECK_FALSE(turns.next_change());
  const auto passing = turns.ask_addition();
  CHECK(begun_additions(turns, start + seconds(3600)) == numbers{passing});
}

TEST_CASE("a removal that is given up says what it has waited for, and holds nobody back any more") {
  sweep_turns turns(three_at_once);
  const auto first = turns.ask_removal(start);
  REQUIRE(begun_removals(turns, start) == numbers{first});
  CHECK_FALSE(turns.give_up(first));  // it has begun
  const auto behind_sweep = turns.ask_removal(start);
  const auto added = turns.ask_addition();
  const auto behind_addition = turns.ask_removal(start);
  CHECK(turns.give_up(behind_sweep) == removal_delay::sweep);
  CHECK_FALSE(turns.give_up(behind_sweep));
  turns.end_sweep();
  REQUIRE(begun_additions(turns, start) == numbers{added});
  CHECK_FALSE(turns.next(start + seconds(60)));
  const auto held = turns.ask_addition();
  CHECK_FALSE(turns.next(start + seconds(61)));
  CHECK_FALSE(turns.give_up(held));
  CHECK(turns.give_up(behind_addition) == removal_delay::additions);
  CHECK(begun_additions(turns, start + seconds(61)) == numbers{held});
}

namespace {

/// Drives `sweep_turns` as its actor does, and checks what must always hold.
struct driven_turns {
  explicit driven_turns(const turn_limits& with) : limits(with) {}

  turn_limits limits;
  sweep_turns turns{limits};
  instant now = start;
  std::multiset<instant> ends;  ///< of what is being added
  std::optional<instant> sweep_ends;
  std::set<turn_number> waiting_additions;
  std::map<turn_number, instant> waiting_removals;  ///< since when
  std::optional<instant> held_since;
  std::optional<instant> held_until;

  void begin(const begun_turns& begun) {
    for (const auto number : begun.additions) {
      RC_ASSERT(!sweep_ends);
      RC_ASSERT(!waiting_additions.empty() && *waiting_additions.begin() == number);
      waiting_additions.erase(number);
      ends.insert(now + seconds(*rc::gen::inRange(0, 50)));
      RC_ASSERT(ends.size() <= limits.additions_max);
    }
    for (const auto number : begun.removals) {
      RC_ASSERT(waiting_removals.erase(number) == 1);
      RC_ASSERT(waiting_additions.empty() || *waiting_additions.begin() > number);
    }
    if (!begun.sweep) return;
    RC_ASSERT(ends.empty() && !sweep_ends);
    sweep_ends = now + seconds(*rc::gen::inRange(0, 20));
  }

  void go_on() {
    while (const auto begun = turns.next(now)) begin(*begun);
    const bool held = !sweep_ends && turns.additions_wait_for() == addition_delay::removal;
    if (held && !held_since) {
      RC_ASSERT(!held_until || now >= *held_until + limits.patience);
      held_since = now;
    }
    if (held) RC_ASSERT(now < *held_since + limits.hold);
    if (!held && held_since) held_until = now;
    if (!held) held_since.reset();
    const bool place_free = !sweep_ends && ends.size() < limits.additions_max;
    RC_ASSERT(waiting_additions.empty() || !place_free || held);
    RC_ASSERT(waiting_removals.empty() || sweep_ends || !ends.empty());
  }

  /// Ends what ends until then, in order, and looks in between whenever it was told to.
  void pass_until(instant then) {
    for (;;) {
      auto next = then;
      if (!ends.empty()) next = std::min(next, *ends.begin());
      if (sweep_ends) next = std::min(next, *sweep_ends);
      if (const auto change = turns.next_change()) next = std::min(next, std::max(*change, now));
      const bool nothing_else = next == then;
      now = next;
      end_due();
      go_on();
      if (nothing_else) return;
    }
  }

  void end_due() {
    while (!ends.empty() && *ends.begin() <= now) {
      ends.erase(ends.begin());
      turns.end_addition();
    }
    if (!sweep_ends || *sweep_ends > now) return;
    sweep_ends.reset();
    turns.end_sweep();
  }
};

}  // namespace

TEST_CASE("whatever comes when, a sweep runs alone, all begin in order and nobody is held back for long") {
  CHECK(rc::check([] {
    driven_turns driven({.additions_max = *rc::gen::inRange<std::uint32_t>(1, 4),
                         .patience = seconds(*rc::gen::inRange(1, 60)),
                         .hold = seconds(*rc::gen::inRange(0, 40))});
    const auto commands = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 5));
    for (const auto command : commands) {
      if (command == 0) driven.waiting_additions.insert(driven.turns.ask_addition());
      if (command == 1) driven.waiting_removals.emplace(driven.turns.ask_removal(driven.now), driven.now);
      if (command == 2) driven.turns.want_sweep(driven.now);
      if (command == 3 && !driven.waiting_removals.empty()) {
        const auto one = driven.waiting_removals.begin()->first;
        RC_ASSERT(driven.turns.give_up(one).has_value());
        driven.waiting_removals.erase(one);
      }
      driven.go_on();
      if (command == 4) driven.pass_until(driven.now + seconds(*rc::gen::inRange(0, 30)));
    }
    // With nobody new all come to their turn.
    driven.pass_until(driven.now + std::chrono::hours(24));
    RC_ASSERT(driven.waiting_additions.empty());
    RC_ASSERT(driven.waiting_removals.empty());
    RC_ASSERT(driven.ends.empty() && !driven.sweep_ends);
  }));
}

TEST_CASE(
    "additions without end, none longer than the hold, keep no removal waiting for longer than its due") {
  CHECK(rc::check([] {
    driven_turns driven({.additions_max = 2, .patience = seconds(60), .hold = seconds(51)});
    const auto first_in = *rc::gen::inRange(0, 40);
    for (int second = 0; second < 400; ++second) {
      while (driven.waiting_additions.size() + driven.ends.size() < 2) {
        driven.waiting_additions.insert(driven.turns.ask_addition());
        driven.go_on();
        if (!driven.waiting_additions.empty()) break;  // held back, or behind a sweep
      }
      if (second % 150 == first_in) {
        driven.waiting_removals.emplace(driven.turns.ask_removal(driven.now), driven.now);
        driven.go_on();
      }
      driven.pass_until(driven.now + seconds(1));
      for (const auto& [number, since] : driven.waiting_removals)
        RC_ASSERT(driven.now < since + driven.limits.patience + driven.limits.hold);
    }
  }));
}
