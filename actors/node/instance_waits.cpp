#include "actors/node/instance_waits.hpp"

#include <algorithm>

#include "schemas/toc_paths.hpp"

namespace firstlight {
namespace {

constexpr std::uint64_t key_of(std::uint32_t content, std::uint32_t block) {
  return std::uint64_t{content} << 32U | block;
}

std::chrono::milliseconds to_ms(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

template <class Each>
void for_each_block(const std::vector<block_run>& runs, Each each) {
  for (const auto& run : runs)
    for (std::uint32_t i = 0; i < run.count; ++i) each(key_of(run.content, run.first + i));
}

}  // namespace

instance_waits::instance_waits(std::shared_ptr<const toc_view> toc, const content_store& store,
                               fuse_limits limits)
    : toc_(std::move(toc)),
      store_(&store),
      limits_(limits),
      readiness_({.waiters_max = limits.parked_reads_max}) {}

wait_started instance_waits::start(const park_read& read, time_point now) {
  ++waits_;
  if (toc_->contents_known()) return look_up(read, now, now);
  if (waiting_.size() >= limits_.parked_reads_max) {
    last_error_ = error{errc::busy, "parked_reads_max: too many reads wait"};
    return {.failure = last_error_};
  }
  if (auto why = known_failure({read.blocks}, now)) return {.failure = std::move(why)};
  waiting_.emplace(read.waiter, held{read, now});
  held_.insert(read.waiter);
  return {.want = {read.blocks}};
}

std::vector<instance_waits::held> instance_waits::take_held() {
  std::vector<held> taken;
  for (const auto id : std::exchange(held_, {})) taken.push_back(waiting_.extract(id).mapped());
  return taken;
}

wait_started instance_waits::resume(const held& reader, time_point now) {
  auto started = look_up(reader.read, reader.since, now);
  if (started.ready || started.failure) note_waited(now - reader.since);
  return started;
}

wait_started instance_waits::look_up(const park_read& read, time_point since, time_point now) {
  const auto& blocks = read.blocks;
  const auto content = toc_->content(blocks.content);
  const auto missing = store_->blocks(content).missing(blocks.content, blocks.first, blocks.count);
  if (missing.empty()) return {.ready = true};
  if (auto why = known_failure(missing, now)) return {.failure = std::move(why)};
  auto want = readiness_.park(read.waiter, missing);
  if (!want) {
    last_error_ = want.error();
    return {.failure = want.error()};
  }
  waiting_.emplace(read.waiter, held{read, since});
  if (!want->empty()) extend(*want, content);
  return {.want = std::move(*want)};
}

std::vector<waiter_id> instance_waits::arrived(const std::vector<block_run>& runs, bool out_of_turn,
                                               time_point now) {
  last_progress_ = now;
  if (out_of_turn) misses_ += readiness_.awaited(runs);
  if (!failed_.empty()) for_each_block(runs, [this](block_key key) { failed_.erase(key); });
  return end(readiness_.arrived(runs), now);
}

std::vector<waiter_id> instance_waits::failed(const std::vector<block_run>& runs, const error& why,
                                              time_point now) {
  last_error_ = why;
  remember_failed(runs, why, now);
  auto waiters = readiness_.failed(runs);
  std::erase_if(held_, [&](waiter_id id) {
    const auto concerned = waiting_.at(id).read.blocks.content;
    const bool gone =
        std::any_of(runs.begin(), runs.end(), [&](const block_run& run) { return run.content == concerned; });
    if (gone) waiters.push_back(id);
    return gone;
  });
  return end(std::move(waiters), now);
}

void instance_waits::forget(waiter_id waiter, time_point now) {
  if (held_.erase(waiter) != 0 || readiness_.forget(waiter)) end({waiter}, now);
}

std::vector<waiter_id> instance_waits::all_over(std::optional<error> why, time_point now) {
  if (why) last_error_ = std::move(why);
  return end(clear(), now);
}

std::vector<waiter_id> instance_waits::clear() {
  auto all = readiness_.clear();
  all.insert(all.end(), held_.begin(), held_.end());
  held_.clear();
  return all;
}

std::vector<waiter_id> instance_waits::overdue(time_point now) {
  std::vector<waiter_id> late;
  const auto limit = limits_.wait_without_progress_max;
  if (limit.count() == 0) return late;
  for (const auto& [id, waiter] : waiting_) {
    if (now - std::max(waiter.since, last_progress_) < limit) break;  // younger ones are not late either
    late.push_back(id);
  }
  if (late.empty()) return late;
  last_error_ = error{errc::timed_out, "no block arrived for " + std::to_string(limit.count()) +
                                           " ms (wait_without_progress_max)"};
  for (const auto id : late) {
    if (held_.erase(id) != 0) continue;
    // The kernel asks once more after a failed read-ahead: that must not wait as long again.
    const auto& blocks = waiting_.at(id).read.blocks;
    const auto content = toc_->content(blocks.content);
    remember_failed(store_->blocks(content).missing(blocks.content, blocks.first, blocks.count), *last_error_,
                    now);
    readiness_.forget(id);
  }
  return end(std::move(late), now);
}

void instance_waits::describe(instance_status& status, time_point now, const std::string& cause) const {
  status.waits = waits_;
  status.misses = misses_;
  status.wait_total = to_ms(wait_total_);
  status.wait_longest = to_ms(wait_longest_);
  status.waiting_now = waiting_.size();
  status.failed_blocks = static_cast<std::uint32_t>(failed_.size());
  if (last_error_) status.last_error = to_string(*last_error_);
  std::vector<inode_number> inodes;
  for (const auto& [id, waiter] : waiting_) {
    if (status.waiting.size() == limits_.waits_shown_max) break;
    const auto& read = waiter.read;
    status.waiting.push_back({read.thread, {}, read.offset, read.bytes, to_ms(now - waiter.since), cause});
    inodes.push_back(read.inode);
  }
  if (inodes.empty()) return;
  auto paths = paths_of(*toc_, inodes);
  for (std::size_t i = 0; i < paths.size(); ++i) status.waiting[i].path = std::move(paths[i]);
  status.wait_longest = std::max(status.wait_longest, status.waiting.front().waiting);
}

std::optional<error> instance_waits::known_failure(const std::vector<block_run>& missing, time_point now) {
  std::optional<error> why;
  if (failed_.empty()) return why;
  for_each_block(missing, [&](block_key key) {
    const auto found = failed_.find(key);
    if (found != failed_.end() && now - found->second.at < limits_.failure_remembered)
      why = found->second.why;
  });
  return why;
}

// A little beyond: what follows a missing block is likely to be read next, and not there either.
void instance_waits::extend(std::vector<block_run>& want, const content_info& content) const {
  const auto& last = want.back();
  auto beyond =
      store_->blocks(content).missing(last.content, last.first + last.count, limits_.want_beyond_blocks);
  if (beyond.empty()) return;
  if (beyond.front().first == last.first + last.count) {
    want.back().count += beyond.front().count;
    beyond.erase(beyond.begin());
  }
  want.insert(want.end(), beyond.begin(), beyond.end());
}

void instance_waits::remember_failed(const std::vector<block_run>& runs, const error& why, time_point now) {
  if (failed_.size() >= limits_.failed_blocks_max)
    std::erase_if(failed_,
                  [&](const auto& known) { return now - known.second.at >= limits_.failure_remembered; });
  for_each_block(runs, [&](block_key key) {
    if (failed_.size() < limits_.failed_blocks_max || failed_.contains(key)) failed_[key] = {now, why};
  });
}

std::vector<waiter_id> instance_waits::end(std::vector<waiter_id> waiters, time_point now) {
  for (const auto id : waiters) {
    const auto found = waiting_.find(id);
    if (found == waiting_.end()) continue;
    note_waited(now - found->second.since);
    waiting_.erase(found);
  }
  return waiters;
}

void instance_waits::note_waited(std::chrono::nanoseconds waited) {
  wait_total_ += waited;
  wait_longest_ = std::max(wait_longest_, waited);
}

}  // namespace firstlight
