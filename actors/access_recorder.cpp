#include "actors/access_recorder.hpp"

#include <utility>

namespace firstlight {

void access_recorder::opened(std::uint32_t content, instant when) {
  if (!active()) return;
  const std::lock_guard lock(mutex_);
  recording_.opened(content, when);
}

void access_recorder::read(const block_run& run, std::uint32_t blocks_of_content) {
  if (!active()) return;
  const auto now = std::chrono::steady_clock::now();
  if (detail_ == recorded_detail::files) return opened(run.content, now);
  const std::lock_guard lock(mutex_);
  recording_.read(run, blocks_of_content, now, {});
}

void access_recorder::waited(const block_run& run, std::uint32_t blocks_of_content, instant since) {
  --waiting_;
  if (!active()) return;
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  recording_.read(run, blocks_of_content, since, now - since);
  recording_.goes_on(now);
}

bool access_recorder::settled(instant now) const {
  const std::lock_guard lock(mutex_);
  return recording_.settled(now) && (waiting_ == 0 || recording_.too_long(now));
}

void access_recorder::on_finish(std::function<void()> detach) {
  const std::lock_guard lock(mutex_);
  detach_ = std::move(detach);
}

void access_recorder::stop() {
  std::function<void()> detach;
  {
    const std::lock_guard lock(mutex_);
    detach = std::exchange(detach_, nullptr);
  }
  if (detach) detach();  // without the lock: it notes what it has not told yet
  active_ = false;
}

std::vector<recorded_content> access_recorder::finish() {
  stop();
  const std::lock_guard lock(mutex_);
  return recording_.take();
}

}  // namespace firstlight
