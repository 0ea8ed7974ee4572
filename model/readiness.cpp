#include "model/readiness.hpp"

#include <algorithm>

#include "model/runs.hpp"

namespace firstlight {
namespace {

std::uint64_t end_of(const block_run& run) {
  return std::uint64_t{run.first} + run.count;
}

}  // namespace

result<std::vector<block_run>> readiness::park(waiter_id waiter, std::span<const block_run> missing) {
  std::uint64_t blocks = 0;
  for (const auto& run : missing) blocks += run.count;
  if (blocks == 0 || blocks > limits_.blocks_per_waiter_max)
    return fail(errc::invalid_argument, "a reader that waits for " + std::to_string(blocks) + " blocks");
  if (waiters_.contains(waiter)) return fail(errc::already_exists, "the reader waits already");
  if (waiters_.size() >= limits_.waiters_max) return fail(errc::busy, "waiters_max readers wait already");

  parked reader{{missing.begin(), missing.end()}, 0};
  std::vector<block_run> ask;
  for (const auto& run : missing) {
    for (std::uint64_t at = run.first; at < end_of(run); ++at) {
      const auto block = static_cast<std::uint32_t>(at);
      reader.blocks_missing += waits_.insert({run.content, block, waiter}).second ? 1 : 0;
      if (!asked_.insert(block_key(run.content, at)).second) continue;
      append_run(ask, {run.content, block, 1});
    }
  }
  waiters_.emplace(waiter, std::move(reader));
  return ask;
}

template <class Each>
void readiness::take_waits(const block_run& run, Each each) {
  asked_.erase(asked_.lower_bound(block_key(run.content, run.first)),
               asked_.lower_bound(block_key(run.content, end_of(run))));
  for (auto at = waits_.lower_bound({run.content, run.first, waiter_id{0}});
       at != waits_.end() && at->content == run.content && at->block < end_of(run);) {
    const auto waiter = at->waiter;
    at = waits_.erase(at);
    each(waiter);
  }
}

std::uint32_t readiness::awaited(std::span<const block_run> runs) const {
  std::uint32_t blocks = 0;
  for (const auto& run : runs)
    for (auto at = waits_.lower_bound({run.content, run.first, waiter_id{0}});
         at != waits_.end() && at->content == run.content && at->block < end_of(run);
         at = waits_.upper_bound({at->content, at->block, waiter_id{~std::uint64_t{0}}}))
      ++blocks;
  return blocks;
}

std::vector<waiter_id> readiness::arrived(std::span<const block_run> runs) {
  std::vector<waiter_id> ready;
  for (const auto& run : runs) {
    take_waits(run, [&](waiter_id waiter) {
      const auto reader = waiters_.find(waiter);
      if (--reader->second.blocks_missing > 0) return;
      waiters_.erase(reader);
      ready.push_back(waiter);
    });
  }
  return ready;
}

std::vector<waiter_id> readiness::failed(std::span<const block_run> runs) {
  std::vector<waiter_id> lost;
  for (const auto& run : runs) take_waits(run, [&](waiter_id waiter) { lost.push_back(waiter); });
  const auto repeated = [&](waiter_id waiter) { return !forget(waiter); };
  lost.erase(std::remove_if(lost.begin(), lost.end(), repeated), lost.end());
  return lost;
}

bool readiness::forget(waiter_id waiter) {
  const auto reader = waiters_.find(waiter);
  if (reader == waiters_.end()) return false;
  for (const auto& run : reader->second.runs)
    for (std::uint64_t at = run.first; at < end_of(run); ++at)
      waits_.erase({run.content, static_cast<std::uint32_t>(at), waiter});
  waiters_.erase(reader);
  return true;
}

std::vector<waiter_id> readiness::clear() {
  std::vector<waiter_id> all;
  for (const auto& [waiter, reader] : waiters_) all.push_back(waiter);
  waits_.clear();
  asked_.clear();
  waiters_.clear();
  return all;
}

std::vector<block_run> readiness::re_ask() {
  std::vector<block_run> runs;
  asked_.clear();
  for (const auto& [content, block, waiter] : waits_) {
    if (!asked_.insert(block_key(content, block)).second) continue;
    append_run(runs, {content, block, 1});
  }
  return runs;
}

}  // namespace firstlight
