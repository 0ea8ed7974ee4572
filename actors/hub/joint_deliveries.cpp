#include "actors/hub/joint_deliveries.hpp"

#include <algorithm>

#include "model/joint_order.hpp"

namespace firstlight {
namespace {

using std::chrono::milliseconds;

/// When what leaves next is expected to be read, on the clock of all deliveries.
milliseconds due(const running_delivery& one) {
  const auto expected = one.core.next_expected();
  const bool is_time = expected != never_expected && expected != milliseconds::min();
  return is_time ? expected + one.offset : expected;
}

/// What the borrower is expected to read of a lender's contents.
content_order order_of_loans(const running_delivery& borrower, std::uint64_t from) {
  const auto& order = *borrower.image.order;
  content_order lent;
  for (std::size_t i = 0; i < std::min<std::size_t>(order.guessed, order.runs.size()); ++i) {
    const auto& run = order.runs[i];
    const auto found = borrower.borrowed->find(run.content);
    if (found == borrower.borrowed->end() || found->second.delivery != from) continue;
    lent.runs.push_back({found->second.content, run.first, run.count});
    if (!order.positions.empty())
      lent.positions.push_back(order.positions[std::min(i, order.positions.size() - 1)]);
  }
  lent.guessed_runs = lent.runs.size();
  return lent;
}

}  // namespace

lender lender_of(std::uint64_t id, const running_delivery& one) {
  const auto& record = one.image.record;
  return {id, record.toc, record.reference, one.image.toc->geometry(), one.contents, one.borrowed};
}

std::vector<lender> lenders_among(const deliveries_by_id& running) {
  std::vector<lender> all;
  for (const auto& [id, one] : running) all.push_back(lender_of(id, one));
  return all;
}

content_order joint_order(const deliveries_by_id& running, std::uint64_t id) {
  const auto& own = running.at(id);
  auto order = as_content_order(*own.image.order);
  for (const auto& [other, borrower] : running) {
    if (other == id) continue;
    const auto lent = order_of_loans(borrower, id);
    if (!lent.runs.empty()) order = with_loans(order, lent, borrower.offset - own.offset);
  }
  return order;
}

std::set<std::uint64_t> lenders_of(const deliveries_by_id& running, std::uint64_t id) {
  std::set<std::uint64_t> ids;
  for (const auto& [content, from] : *running.at(id).borrowed)
    if (running.contains(from.delivery)) ids.insert(from.delivery);
  return ids;
}

std::set<std::uint64_t> borrowers_of(const deliveries_by_id& running, std::uint64_t id) {
  std::set<std::uint64_t> ids;
  for (const auto& [other, one] : running)
    if (std::any_of(one.borrowed->begin(), one.borrowed->end(),
                    [&](const auto& each) { return each.second.delivery == id; }))
      ids.insert(other);
  return ids;
}

std::map<std::uint64_t, std::vector<block_run>> route_wants(const deliveries_by_id& running, std::uint64_t id,
                                                            std::span<const block_run> runs) {
  std::map<std::uint64_t, std::vector<block_run>> routed;
  const auto& borrowed = *running.at(id).borrowed;
  for (const auto& run : runs) {
    const auto found = borrowed.find(run.content);
    if (found == borrowed.end())
      routed[id].push_back(run);
    else if (running.contains(found->second.delivery))
      routed[found->second.delivery].push_back({found->second.content, run.first, run.count});
  }
  return routed;
}

std::vector<std::uint64_t> serving_order(const deliveries_by_id& running, std::uint64_t last) {
  std::vector<std::uint64_t> ids;
  for (auto at = running.upper_bound(last); at != running.end(); ++at) ids.push_back(at->first);
  for (auto at = running.begin(); at != running.upper_bound(last); ++at) ids.push_back(at->first);
  std::stable_sort(ids.begin(), ids.end(),
                   [&](auto a, auto b) { return due(running.at(a)) < due(running.at(b)); });
  return ids;
}

}  // namespace firstlight
