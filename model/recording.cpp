#include "model/recording.hpp"

#include <algorithm>
#include <tuple>

namespace firstlight {

recording::entry* recording::at(std::uint32_t content, std::uint32_t blocks, instant when) {
  const auto known = contents_.find(content);
  if (known != contents_.end()) {
    if (known->second.seen.blocks() < blocks) known->second.seen = block_set(blocks);
    known->second.what.access = std::min<std::chrono::nanoseconds>(known->second.what.access, when - start_);
    return &known->second;
  }
  if (contents_.size() >= limits_.contents_max) return nullptr;
  last_ = std::max(last_, when);
  return &contents_.emplace(content, entry{{content, when - start_, {}}, block_set(blocks)}).first->second;
}

void recording::opened(std::uint32_t content, instant when) {
  static_cast<void>(at(content, 0, std::max(when, start_)));
}

void recording::read(const block_run& run, std::uint32_t blocks, instant when,
                     std::chrono::nanoseconds wait) {
  when = std::max(when, start_);  // it may have begun to wait before
  auto* known = at(run.content, blocks, when);
  if (known == nullptr) return;
  for (const auto& fresh : known->seen.missing(run.content, run.first, run.count)) {
    if (runs_ >= limits_.runs_max) return;
    known->seen.insert(fresh.first, fresh.count);
    last_ = std::max(last_, when);
    auto& runs = known->what.runs;
    const bool goes_on = !runs.empty() && runs.back().first + runs.back().count == fresh.first &&
                         runs.back().access == when - start_;
    if (goes_on) {
      runs.back().count += fresh.count;
      continue;
    }
    runs.push_back({fresh.first, fresh.count, when - start_, wait});
    wait = std::chrono::nanoseconds(0);  // one wait is counted once
    ++runs_;
  }
}

std::vector<recorded_content> recording::so_far() const {
  std::vector<recorded_content> all;
  all.reserve(contents_.size());
  for (const auto& [content, known] : contents_) all.push_back(known.what);
  return all;
}

std::vector<recorded_content> recording::take() {
  std::vector<recorded_content> all;
  all.reserve(contents_.size());
  for (auto& [content, known] : contents_) {
    std::stable_sort(known.what.runs.begin(), known.what.runs.end(),
                     [](const traced_run& a, const traced_run& b) { return a.access < b.access; });
    all.push_back(std::move(known.what));
  }
  contents_.clear();
  runs_ = 0;
  std::sort(all.begin(), all.end(), [](const recorded_content& a, const recorded_content& b) {
    return std::tie(a.access, a.content) < std::tie(b.access, b.content);
  });
  return all;
}

}  // namespace firstlight
