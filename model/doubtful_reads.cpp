#include "model/doubtful_reads.hpp"

#include <algorithm>

namespace firstlight {

bool doubtful_reads::counts(const doubtful_read& read) {
  if (all_count_ || is_opened(read.run.content)) return true;
  if (reads_ >= limits_.reads_max) drop_old(read.when);
  if (reads_ >= limits_.reads_max) return false;
  kept_[read.run.content].push_back(read);
  ++reads_;
  return false;
}

/// What no open that is still to be told can claim.
void doubtful_reads::drop_old(instant now) {
  if (now - dropped_ < limits_.open_told) return;
  dropped_ = now;
  for (auto one = kept_.begin(); one != kept_.end();) {
    reads_ -= std::erase_if(one->second,
                            [&](const doubtful_read& read) { return read.when + limits_.open_told < now; });
    one = one->second.empty() ? kept_.erase(one) : std::next(one);
  }
}

std::vector<doubtful_read> doubtful_reads::opened(std::uint32_t content, instant told) {
  opened_.insert(content);
  auto held = kept_.extract(content);
  if (held.empty()) return {};
  auto reads = std::move(held.mapped());
  reads_ -= reads.size();
  std::erase_if(reads, [&](const doubtful_read& read) { return read.when + limits_.open_told < told; });
  return reads;
}

std::vector<doubtful_read> doubtful_reads::count_all() {
  all_count_ = true;
  std::vector<doubtful_read> all;
  all.reserve(reads_);
  for (const auto& [content, reads] : kept_) all.insert(all.end(), reads.begin(), reads.end());
  kept_.clear();
  reads_ = 0;
  std::stable_sort(all.begin(), all.end(),
                   [](const doubtful_read& a, const doubtful_read& b) { return a.when < b.when; });
  return all;
}

void doubtful_reads::waits_no_more(std::uint32_t content) {
  const auto known = waiting_.find(content);
  if (known != waiting_.end() && --known->second == 0) waiting_.erase(known);
}

bool doubtful_reads::somebody_waits() const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [this](const auto& one) { return all_count_ || is_opened(one.first); });
}

void doubtful_reads::forget() {
  kept_.clear();
  opened_.clear();
  reads_ = 0;
  all_count_ = false;
}

}  // namespace firstlight
