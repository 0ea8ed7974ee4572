#include "model/redelivery.hpp"

#include "model/runs.hpp"

namespace firstlight {

redelivery::decision redelivery::damaged(std::span<const block_run> runs) {
  decision what;
  for (const auto& run : runs) {
    for (auto block = run.first; block < run.first + run.count; ++block) {
      auto& count = counts_[block_key(run.content, block)];
      if (count < attempts_max_) {
        ++count;
        append_run(what.again, {run.content, block, 1});
      } else {
        append_run(what.given_up, {run.content, block, 1});
      }
    }
  }
  return what;
}

void redelivery::arrived(std::span<const block_run> runs) {
  if (counts_.empty()) return;
  for (const auto& run : runs)
    for (auto block = run.first; block < run.first + run.count; ++block)
      counts_.erase(block_key(run.content, block));
}

}  // namespace firstlight
