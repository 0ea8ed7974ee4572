#include "model/sweep_turns.hpp"

#include <algorithm>
#include <cassert>

namespace firstlight {

turn_number sweep_turns::join(kind what, instant now) {
  line_.push_back({++asked_, what, now, additions_ > 0});
  return asked_;
}

turn_number sweep_turns::ask_addition() {
  return join(kind::addition, {});
}

turn_number sweep_turns::ask_removal(instant now) {
  return join(kind::removal, now);
}

void sweep_turns::want_sweep(instant now) {
  const bool waits =
      std::any_of(line_.begin(), line_.end(), [](const waiting& one) { return one.what == kind::sweep; });
  if (!waits) join(kind::sweep, now);
}

std::optional<removal_delay> sweep_turns::give_up(turn_number removal) {
  const auto found = std::find_if(line_.begin(), line_.end(), [&](const waiting& one) {
    return one.number == removal && one.what == kind::removal;
  });
  if (found == line_.end()) return std::nullopt;
  const auto delay = found->met_additions ? removal_delay::additions : removal_delay::sweep;
  line_.erase(found);
  return delay;
}

void sweep_turns::end_addition() {
  assert(additions_ > 0);
  --additions_;
}

void sweep_turns::end_sweep() {
  assert(sweeping_);
  sweeping_ = false;
}

bool sweep_turns::removal_leads() const {
  return !line_.empty() && line_.front().what != kind::addition;
}

instant sweep_turns::hold_due() const {
  const auto from = line_.front().since;
  return (hold_ended_ ? std::max(from, *hold_ended_) : from) + limits_.patience;
}

void sweep_turns::update_hold(instant now) {
  if (held_since_ && (!removal_leads() || now >= *held_since_ + limits_.hold)) {
    held_since_.reset();
    hold_ended_ = now;
    return;
  }
  const bool may_begin = !held_since_ && additions_ > 0 && removal_leads() && limits_.hold.count() > 0;
  if (may_begin && now >= hold_due()) held_since_ = now;
}

void sweep_turns::begin_additions(begun_turns& begun) {
  for (auto at = line_.begin(); at != line_.end() && additions_ < limits_.additions_max;) {
    if (at->what == kind::addition) {
      begun.additions.push_back(at->number);
      ++additions_;
      at = line_.erase(at);
    } else if (held_since_) {
      break;
    } else {
      ++at;
    }
  }
  if (!begun.additions.empty())
    for (auto& one : line_) one.met_additions = true;
}

void sweep_turns::begin_sweep(begun_turns& begun, instant now) {
  for (; removal_leads(); line_.pop_front())
    if (line_.front().what == kind::removal)
      begun.removals.push_back(line_.front().number);
    else
      begun.wanted = true;
  begun.sweep = sweeping_ = true;
  if (held_since_) hold_ended_ = now;
  held_since_.reset();
}

std::optional<begun_turns> sweep_turns::next(instant now) {
  if (sweeping_) return std::nullopt;
  update_hold(now);
  begun_turns begun;
  if (additions_ == 0 && removal_leads())
    begin_sweep(begun, now);
  else
    begin_additions(begun);
  if (!begun.sweep && begun.additions.empty()) return std::nullopt;
  return begun;
}

std::optional<instant> sweep_turns::next_change() const {
  if (sweeping_) return std::nullopt;
  if (held_since_) return *held_since_ + limits_.hold;
  if (limits_.hold.count() > 0 && removal_leads()) return hold_due();
  return std::nullopt;
}

addition_delay sweep_turns::additions_wait_for() const {
  if (sweeping_) return addition_delay::sweep;
  return held_since_ ? addition_delay::removal : addition_delay::others;
}

}  // namespace firstlight
