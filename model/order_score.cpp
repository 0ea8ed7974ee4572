#include "model/order_score.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include "model/runs.hpp"
#include "model/want_ahead.hpp"

namespace firstlight {
namespace {

using time = std::chrono::nanoseconds;

struct first_access {
  time when{0};
  block_run run;
};

/// What a start reads, one run after another. An opened file counts as its first block.
std::vector<first_access> accesses_of(const observed_start& start, std::span<const content_info> contents,
                                      block_geometry geometry) {
  std::vector<first_access> all;
  for (const auto& file : without_waits(start).accesses) {
    if (file.content >= contents.size()) continue;
    const auto blocks = geometry.count(contents[file.content].size);
    if (file.runs.empty()) all.push_back({file.access, {file.content, 0, 1}});
    for (const auto& run : file.runs)
      if (run.first < blocks)
        all.push_back({run.access, {file.content, run.first, std::min(run.count, blocks - run.first)}});
  }
  std::sort(all.begin(), all.end(), [](const first_access& a, const first_access& b) {
    return std::tie(a.when, a.run) < std::tie(b.when, b.run);
  });
  return all;
}

/// The stream: which block ends after how many unpacked bytes.
class stream {
 public:
  stream(const content_order& order, std::span<const content_info> contents, block_geometry geometry)
      : contents_(contents), geometry_(geometry) {
    for (const auto& run : order.runs)
      if (run.content < contents.size()) add(run);
    for (std::uint32_t i = 0; i < contents.size(); ++i) add({i, 0, geometry.count(contents[i].size)});
  }

  [[nodiscard]] std::uint64_t end_of(std::uint32_t content, std::uint32_t block) const {
    return ends_.at(block_key(content, block));
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t length(const block_run& run) const {
    return geometry_.length(contents_[run.content].size, run.first, run.count);
  }
  [[nodiscard]] std::uint32_t blocks_of(std::uint32_t content) const {
    return geometry_.count(contents_[content].size);
  }

 private:
  void add(const block_run& run) {
    const auto end = std::min<std::uint64_t>(std::uint64_t{run.first} + run.count, blocks_of(run.content));
    for (auto block = std::uint64_t{run.first}; block < end; ++block) {
      const auto [at, fresh] = ends_.try_emplace(block_key(run.content, block), 0);
      if (!fresh) continue;
      bytes_ += length({run.content, static_cast<std::uint32_t>(block), 1});
      at->second = bytes_;
    }
  }

  std::span<const content_info> contents_;
  block_geometry geometry_;
  std::unordered_map<std::uint64_t, std::uint64_t> ends_;
  std::uint64_t bytes_ = 0;
};

class replay {
 public:
  replay(const stream& sent, const modelled_link& link, block_geometry geometry)
      : stream_(sent), link_(link), geometry_(geometry) {}

  replayed_access read(const block_run& run, time now) {
    replayed_access done{run, now};
    advance(now);
    for (auto block = run.first; block < run.first + run.count; ++block)
      done.arrived = std::max(done.arrived, arrival(run, block, now, done.missed));
    done.wait = std::max(time(0), done.arrived - now);
    return done;
  }

 private:
  /// Something that was sent out of turn.
  struct insertion {
    std::uint64_t position;  ///< of the stream when it was made
    double bytes;            ///< of all up to this one
  };

  [[nodiscard]] double packed(double bytes) const {
    return bytes * link_.packed_share / link_.bytes_per_second * 1e9;
  }
  void advance(time now) {
    const auto bytes =
        static_cast<double>(now.count()) * link_.bytes_per_second / 1e9 / link_.packed_share - inserted_;
    position_ = std::max(position_, static_cast<std::uint64_t>(std::max(0.0, bytes)));
  }
  /// When the stream has brought so many bytes. What is sent out of turn delays only what comes behind it.
  [[nodiscard]] time in_turn(std::uint64_t end) const {
    const auto later = std::partition_point(insertions_.begin(), insertions_.end(),
                                            [&](const insertion& one) { return one.position < end; });
    const auto before = later == insertions_.begin() ? 0.0 : std::prev(later)->bytes;
    return time(static_cast<std::int64_t>(packed(static_cast<double>(end) + before)));
  }
  time arrival(const block_run& run, std::uint32_t block, time now, bool& missed) {
    if (const auto sent = extra_.find(block_key(run.content, block)); sent != extra_.end())
      return sent->second;
    const auto end = stream_.end_of(run.content, block);
    if (end <= position_) return std::min(in_turn(end), now);
    return later_arrival(run, block, in_turn(end), now, missed);
  }
  /// Of a block that has not arrived.
  time later_arrival(const block_run& run, std::uint32_t block, time due, time now, bool& missed) {
    const auto first = static_cast<double>(stream_.length({run.content, block, 1}));
    const auto out_of_turn = now + link_.round_trip + time(static_cast<std::int64_t>(packed(first)));
    if (due <= out_of_turn) return due;
    missed = true;
    const auto after = run.first + run.count;
    const auto reach = reach_of_want(link_.hub, geometry_, times_missed_[run.content]++,
                                     stream_.blocks_of(run.content) - after);
    const block_run wanted{run.content, block, after + reach.with + reach.behind - block};
    for (std::uint32_t i = 0; i < wanted.count; ++i) {
      const auto key = block_key(run.content, block + i);
      if (stream_.end_of(run.content, block + i) <= position_ || extra_.contains(key)) continue;
      const auto bytes = static_cast<double>(stream_.length({run.content, block + i, 1}));
      extra_.emplace(key, out_of_turn + time(static_cast<std::int64_t>(packed(bytes) * i)));
      inserted_ += bytes;
    }
    insertions_.push_back({position_, inserted_});
    return extra_.at(block_key(run.content, block));
  }

  const stream& stream_;
  const modelled_link& link_;
  block_geometry geometry_;
  std::unordered_map<std::uint64_t, time> extra_;  ///< blocks sent out of turn: when they arrive
  std::unordered_map<std::uint32_t, std::uint32_t> times_missed_;  ///< by content
  std::vector<insertion> insertions_;
  double inserted_ = 0;         ///< bytes of blocks sent out of turn: all else comes later by so much
  std::uint64_t position_ = 0;  ///< bytes of the stream that have arrived
};

}  // namespace

order_score score_order(const observed_start& start, const content_order& order,
                        std::span<const content_info> contents, block_geometry geometry,
                        const modelled_link& link) {
  order_score score;
  const stream sent(order, contents, geometry);
  replay link_model(sent, link, geometry);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> needed;  // where it ends in the stream, and its length
  for (const auto& access : accesses_of(start, contents, geometry)) {
    auto done = link_model.read(access.run, access.when + score.stall);
    score.stall += done.wait;
    score.misses += done.missed ? 1 : 0;
    score.end = done.asked + done.wait;
    for (auto block = access.run.first; block < access.run.first + access.run.count; ++block)
      needed.emplace_back(sent.end_of(access.run.content, block),
                          sent.length({access.run.content, block, 1}));
    score.accesses.push_back(done);
  }
  std::sort(needed.begin(), needed.end());
  needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
  for (const auto& [end, length] : needed) score.touched_bytes += length;
  if (needed.empty()) return score;
  score.sent_bytes = needed.back().first;
  for (std::size_t i = 0; i < recall_percents.size(); ++i) {
    const auto until = sent.bytes() * recall_percents.at(i) / 100;
    std::uint64_t bytes = 0;
    for (const auto& [end, length] : needed) bytes += end <= until ? length : 0;
    score.recall.at(i) = static_cast<double>(bytes) / static_cast<double>(score.touched_bytes);
  }
  return score;
}

std::size_t segments_until_read(const bundle_plan& plan, const observed_start& start,
                                std::span<const content_info> contents, block_geometry geometry) {
  std::unordered_set<std::uint64_t> read;
  for (const auto& access : accesses_of(start, contents, geometry))
    for (auto block = access.run.first; block < access.run.first + access.run.count; ++block)
      read.insert(block_key(access.run.content, block));
  std::size_t until = 0;
  for (std::size_t at = 0; at < plan.segments.size(); ++at)
    for (const auto& run : plan.segments[at].runs)
      for (auto block = run.first; block < run.first + run.count; ++block)
        if (read.contains(block_key(run.content, block))) until = at + 1;
  return until;
}

content_order oracle_order(const observed_start& start) {
  std::vector<first_access> all;
  for (const auto& file : without_waits(start).accesses) {
    if (file.runs.empty()) all.push_back({file.access, {file.content, 0, 1}});
    for (const auto& run : file.runs) all.push_back({run.access, {file.content, run.first, run.count}});
  }
  std::sort(all.begin(), all.end(), [](const first_access& a, const first_access& b) {
    return std::tie(a.when, a.run) < std::tie(b.when, b.run);
  });
  content_order order;
  for (const auto& access : all) append_run(order.runs, access.run);
  order.guessed_runs = order.runs.size();
  return order;
}

}  // namespace firstlight
