#include "model/learned_order.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "model/lost_times.hpp"
#include "model/runs.hpp"

namespace firstlight {
namespace {

using time = std::chrono::nanoseconds;

constexpr double rounding = 1 - 1e-9;  // of sums of weights

/// When one block was read first, by each start that read it.
struct block_history {
  std::vector<std::pair<time, double>> accesses;  ///< with the weight of the start
  double weight = 0;
  std::size_t last_start = 0;  ///< number of the start that read it last, from 1
};

time weighted_median(std::vector<std::pair<time, double>>& accesses, double weight) {
  std::sort(accesses.begin(), accesses.end());
  double below = 0;
  for (const auto& [access, share] : accesses) {
    below += share;
    if (below * 2 >= weight) return access;
  }
  return accesses.back().first;
}

/// From 1 to 100: what has been read was not read by nobody.
std::uint8_t percent_of(double share) {
  return static_cast<std::uint8_t>(std::clamp(std::lround(share * 100), 1L, 100L));
}

struct expected_block {
  bool likely = true;
  time position{0};
  std::uint32_t content = 0;
  std::uint32_t block = 0;
  std::uint8_t read_percent = 0;
  friend bool operator<(const expected_block& a, const expected_block& b) {
    return std::tie(b.likely, a.position, a.content, a.block) <
           std::tie(a.likely, b.position, b.content, b.block);
  }
};

class merger {
 public:
  merger(std::span<const content_info> contents, block_geometry geometry, const learned_order_limits& limits)
      : contents_(contents), geometry_(geometry), limits_(limits) {}

  void add(const observed_start& start) {
    total_ += start.weight;
    ++start_;
    const auto plain = without_waits(start);
    const auto first = first_access(plain);
    std::unordered_set<std::uint32_t> read;
    for (const auto& access : plain.accesses)
      if (!access.runs.empty()) read.insert(access.content);
    for (const auto& access : plain.accesses) {
      if (access.content >= contents_.size()) continue;
      if (access.runs.empty() && !read.contains(access.content))
        opened_.push_back({access.content, access.access - first, start.weight, start_});
      for (auto run : access.runs) {
        run.access -= first;
        add(access.content, run, start.weight, start_);
      }
    }
  }

  content_order order() {
    add_opened();
    std::vector<expected_block> blocks;
    blocks.reserve(history_.size());
    for (auto& [key, seen] : history_) {
      const bool likely = seen.weight >= limits_.likely_share * total_ * rounding;
      blocks.push_back({likely, weighted_median(seen.accesses, seen.weight),
                        static_cast<std::uint32_t>(key >> 32U), static_cast<std::uint32_t>(key),
                        percent_of(seen.weight / total_)});
    }
    std::sort(blocks.begin(), blocks.end());
    content_order order;
    bool likely = true;
    for (const auto& block : blocks) {
      if (likely && !block.likely) order.guessed_runs = order.runs.size();
      const bool same_part = likely == block.likely;
      likely = block.likely;
      auto* last = same_part && !order.runs.empty() ? &order.runs.back() : nullptr;
      if (last != nullptr && last->content == block.content && last->first + last->count == block.block) {
        ++last->count;
        order.read_percents.back() = std::max(order.read_percents.back(), block.read_percent);
      } else {
        order.runs.push_back({block.content, block.block, 1});
        order.read_percents.push_back(block.read_percent);
        if (likely)
          order.positions.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(block.position));
      }
    }
    if (likely) order.guessed_runs = order.runs.size();
    return order;
  }

 private:
  struct opened {
    std::uint32_t content;
    time access;
    double weight;
    std::size_t start;
  };

  /// When a start reads anything of the image. What goes before, as a runtime that sets a container up, takes
  /// another time on each machine.
  [[nodiscard]] time first_access(const observed_start& start) const {
    auto first = time::max();
    for (const auto& access : start.accesses) {
      if (access.content >= contents_.size()) continue;
      if (access.runs.empty()) first = std::min(first, access.access);
      for (const auto& run : access.runs) first = std::min(first, run.access);
    }
    return first;
  }

  [[nodiscard]] std::uint32_t blocks_of(std::uint32_t content) const {
    return geometry_.count(contents_[content].size);
  }

  void add(std::uint32_t content, const traced_run& run, double weight, std::size_t start) {
    const auto end = std::min<std::uint64_t>(std::uint64_t{run.first} + run.count, blocks_of(content));
    for (std::uint64_t block = run.first; block < end; ++block)
      note(content, static_cast<std::uint32_t>(block), run.access, weight, start);
  }

  /// Of one start only the first access counts.
  void note(std::uint32_t content, std::uint32_t block, time access, double weight, std::size_t start) {
    auto& seen = history_[block_key(content, block)];
    if (std::exchange(seen.last_start, start) == start) {
      seen.accesses.back().first = std::min(seen.accesses.back().first, access);
      return;
    }
    seen.accesses.emplace_back(access, weight);
    seen.weight += weight;
  }

  /// Opened files count with the blocks that others have read, else with their beginning.
  void add_opened() {
    std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> read;
    for (const auto& [key, seen] : history_)
      read[static_cast<std::uint32_t>(key >> 32U)].push_back(static_cast<std::uint32_t>(key));
    const auto beginning = geometry_.count(limits_.opened_bytes_max);
    for (const auto& file : opened_) {
      const auto known = read.find(file.content);
      if (known != read.end())
        for (const auto block : known->second)
          note(file.content, block, file.access, file.weight, file.start);
      else
        add(file.content, {0, std::min(beginning, blocks_of(file.content)), file.access, {}}, file.weight,
            file.start);
    }
  }

  std::span<const content_info> contents_;
  block_geometry geometry_;
  const learned_order_limits& limits_;
  std::map<std::uint64_t, block_history> history_;
  std::vector<opened> opened_;
  double total_ = 0;
  std::size_t start_ = 0;  ///< number of the one that is added
};

}  // namespace

observed_start without_waits(const observed_start& start) {
  std::vector<waited_span> waits;
  for (const auto& file : start.accesses) {
    if (file.runs.empty()) waits.push_back({file.access, file.wait});
    for (const auto& run : file.runs) waits.push_back({run.access, run.wait});
  }
  const lost_times lost(waits);
  auto plain = start;
  for (auto& file : plain.accesses) {
    file.access = lost.without(file.access);
    file.wait = time(0);
    for (auto& run : file.runs) {
      run.access = lost.without(run.access);
      run.wait = time(0);
    }
  }
  return plain;
}

content_order learn_order(std::span<const observed_start> starts, std::span<const content_info> contents,
                          block_geometry geometry, const learned_order_limits& limits) {
  merger merged(contents, geometry, limits);
  for (const auto& start : starts) merged.add(start);
  return merged.order();
}

}  // namespace firstlight
