#include "model/relative_order.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace firstlight {
namespace {

/// Of a file of which a start reads so much it may read all.
constexpr double most_share = 0.5;

class weaver {
 public:
  weaver(const content_order& learned, const relative_files& files, std::span<const content_info> contents,
         block_geometry geometry)
      : learned_(learned),
        files_(files),
        contents_(contents),
        geometry_(geometry),
        end_(learned.guessed_runs) {
    for (std::size_t i = 0; i < learned.guessed_runs; ++i)
      if (known(learned.runs[i])) places_[learned.runs[i].content].push_back(i);
  }

  /// Comes first: what is gone gets a place behind the rest.
  void put_off_gone(std::span<const block_run> guess) {
    if (guess.empty()) return;  // nothing is known
    std::unordered_set<std::uint32_t> guessed;
    for (const auto& run : guess) guessed.insert(run.content);
    for (const auto& [content, places] : places_)
      if (files_.expected.contains(content) && !guessed.contains(content))
        for (const auto place : places) gone_.insert(place);
    for (const auto place : gone_) last_.push_back(learned_.runs[place]);
  }

  void add_news(std::span<const block_run> guess, std::uint64_t bytes_max) {
    std::size_t behind = 0;
    for (const auto& run : guess) {
      if (!known(run)) continue;
      if (const auto read = places_.find(run.content); read != places_.end()) {
        behind = read->second.front() + 1;
      } else if (!had(run.content) && bytes(run) <= bytes_max) {
        bytes_max -= bytes(run);
        added_[behind].push_back(run);
        continue;
      }
      rest_.push_back(run);
    }
  }

  void add_changed(std::uint64_t bytes_max, std::uint64_t midway_bytes_max) {
    struct file {
      std::uint32_t content;
      double share;
      std::vector<block_run> rest;
    };
    std::vector<file> all;
    for (const auto& [content, places] : places_) {
      if (!files_.changed.contains(content) || gone_.contains(places.front())) continue;
      block_set read(geometry_.count(contents_[content].size));
      for (const auto place : places) insert(learned_.runs[place], read);
      all.push_back({content, static_cast<double>(read.count()) / read.blocks(),
                     read.missing(content, 0, read.blocks())});
    }
    std::stable_sort(all.begin(), all.end(), [](const file& a, const file& b) { return a.share > b.share; });
    for (const auto& one : all) {
      const auto& places = places_.at(one.content);
      std::uint64_t left = 0;
      for (const auto& run : one.rest) left += bytes(run);
      const bool midway = one.share >= most_share && left <= midway_bytes_max;
      for (const auto& run : one.rest) {
        if (bytes(run) > bytes_max) break;
        bytes_max -= bytes(run);
        added_[midway ? places[places.size() / 2] + 1 : end_].push_back(run);
      }
    }
  }

  content_order take() {
    content_order woven;
    const auto timed = !learned_.positions.empty();
    for (std::size_t i = 0; i <= end_; ++i) {
      const auto position = !timed ? std::chrono::milliseconds(0)
                                   : learned_.positions[std::min(i, learned_.positions.size() - 1)];
      for (const auto& run : added_[i]) append(woven, run, position, timed);
      if (i < end_ && !gone_.contains(i) && known(learned_.runs[i]))
        append(woven, learned_.runs[i], position, timed);
    }
    woven.runs.insert(woven.runs.end(), last_.begin(), last_.end());
    woven.runs.insert(woven.runs.end(), rest_.begin(), rest_.end());
    woven.guessed_runs = woven.runs.size();
    return woven;
  }

 private:
  static void append(content_order& to, const block_run& run, std::chrono::milliseconds position,
                     bool timed) {
    to.runs.push_back(run);
    if (timed) to.positions.push_back(position);
  }
  [[nodiscard]] bool had(std::uint32_t content) const {
    return files_.expected.contains(content) || files_.read.contains(content);
  }
  [[nodiscard]] bool known(const block_run& run) const { return run.content < contents_.size(); }
  [[nodiscard]] std::uint64_t bytes(const block_run& run) const {
    return geometry_.length(contents_[run.content].size, run.first, run.count);
  }
  static void insert(const block_run& run, block_set& into) {
    if (run.first < into.blocks()) into.insert(run.first, std::min(run.count, into.blocks() - run.first));
  }

  const content_order& learned_;
  const relative_files& files_;
  std::span<const content_info> contents_;
  block_geometry geometry_;
  std::map<std::uint32_t, std::vector<std::size_t>> places_;  ///< by content: its runs in `learned_`
  std::map<std::size_t, std::vector<block_run>> added_;       ///< by the learned run that they go before
  std::size_t end_;                                           ///< of the learned runs
  std::set<std::size_t> gone_;                                ///< learned runs that are put off
  std::vector<block_run> last_;                               ///< those
  std::vector<block_run> rest_;                               ///< of the guess
};

}  // namespace

content_order order_of_relative(const content_order& learned, std::span<const block_run> guess,
                                const relative_files& files, std::span<const content_info> contents,
                                block_geometry geometry, const relative_order_limits& limits) {
  weaver woven(learned, files, contents, geometry);
  woven.put_off_gone(guess);
  woven.add_news(guess, limits.news_bytes_max);
  woven.add_changed(limits.changed_bytes_max, limits.midway_bytes_max);
  return woven.take();
}

}  // namespace firstlight
