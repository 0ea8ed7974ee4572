#include "model/version_map.hpp"

#include <algorithm>
#include <utility>

namespace firstlight {
namespace {

/// A longest chain that rises strictly in both members: patience sorting (Fredman 1975).
std::vector<version_anchor> longest_chain(std::vector<version_anchor> anchors) {
  // Those of one place before stand in falling order of the place now, so that a chain takes one of them.
  std::sort(anchors.begin(), anchors.end(), [](const version_anchor& a, const version_anchor& b) {
    return a.before != b.before ? a.before < b.before : a.now > b.now;
  });
  std::vector<std::size_t> ends;  // by length: the anchor that ends such a chain lowest
  std::vector<std::size_t> previous(anchors.size());
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    const auto place =
        std::lower_bound(ends.begin(), ends.end(), anchors[i].now,
                         [&](std::size_t at, std::uint64_t now) { return anchors[at].now < now; });
    previous[i] = place == ends.begin() ? i : *(place - 1);
    if (place == ends.end())
      ends.push_back(i);
    else
      *place = i;
  }
  std::vector<version_anchor> chain(ends.size());
  if (ends.empty()) return chain;
  for (auto [left, at] = std::pair(ends.size(), ends.back()); left > 0; --left, at = previous[at])
    chain[left - 1] = anchors[at];
  return chain;
}

/// A place that has moved with the anchor below it, and one that has moved with the anchor above.
std::pair<std::uint64_t, std::uint64_t> moved_with(const version_anchor& from, const version_anchor& to,
                                                   std::uint64_t before) {
  const auto below = std::min(from.now + (before - from.before), to.now);
  const auto above = to.now - std::min(to.before - before, to.now - from.now);
  return std::minmax(below, above);
}

}  // namespace

version_map::version_map(std::uint64_t size_before, std::uint64_t size_now,
                         std::vector<version_anchor> anchors) {
  const version_anchor end{size_before, size_now};
  std::erase_if(anchors, [&](const version_anchor& one) {
    return one.before == 0 || one.now == 0 || one.before >= end.before || one.now >= end.now;
  });
  chain_ = longest_chain(std::move(anchors));
  chain_.insert(chain_.begin(), version_anchor{});
  chain_.push_back(end);
}

std::vector<version_anchor>::const_iterator version_map::above(std::uint64_t before) const {
  return std::upper_bound(chain_.begin(), chain_.end() - 1, before,
                          [](std::uint64_t place, const version_anchor& one) { return place < one.before; });
}

std::uint64_t version_map::at(std::uint64_t before) const {
  if (before >= chain_.back().before) return chain_.back().now;
  const auto to = above(before);
  const auto from = to - 1;
  const auto share =
      static_cast<double>(before - from->before) / static_cast<double>(to->before - from->before);
  return from->now + static_cast<std::uint64_t>(share * static_cast<double>(to->now - from->now));
}

std::uint64_t version_map::earliest(std::uint64_t before) const {
  if (before >= chain_.back().before) return chain_.back().now;
  const auto to = above(before);
  return moved_with(*(to - 1), *to, before).first;
}

std::uint64_t version_map::latest(std::uint64_t before) const {
  if (before == 0 || before >= chain_.back().before) return before == 0 ? 0 : chain_.back().now;
  const auto to = above(before - 1);
  return moved_with(*(to - 1), *to, before).second;
}

std::uint64_t version_map::gap(std::uint64_t before) const {
  const auto to = above(before);
  return to->now - (to - 1)->now;
}

}  // namespace firstlight
