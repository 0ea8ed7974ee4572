#include "actors/access_recorder.hpp"

#include <utility>

namespace firstlight {

bool access_recorder::begin(std::chrono::nanoseconds started, recorded_detail detail) {
  std::function<void()> attach;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(begun_, true)) return false;
    started_ = started;
    recording_ = recording(std::chrono::steady_clock::now(), limits_);
    detail_ = detail;
    active_ = true;  // with the lock: who finishes it at once must have the last word
    attach = attach_;
  }
  if (attach) attach();
  return true;
}

std::chrono::nanoseconds access_recorder::started() const {
  const std::lock_guard lock(mutex_);
  return started_;
}

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

void access_recorder::goes_on() {
  const std::lock_guard lock(mutex_);
  recording_.goes_on(std::chrono::steady_clock::now());
}

bool access_recorder::settled(instant now) const {
  const std::lock_guard lock(mutex_);
  return recording_.settled(now) && (waiting_ == 0 || recording_.too_long(now));
}

void access_recorder::on_begin(std::function<void()> attach) {
  const std::lock_guard lock(mutex_);
  attach_ = std::move(attach);
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

std::size_t access_recorder::noted() const {
  const std::lock_guard lock(mutex_);
  return recording_.noted();
}

std::vector<recorded_content> access_recorder::so_far() const {
  const std::lock_guard lock(mutex_);
  return recording_.so_far();
}

std::vector<recorded_content> access_recorder::finish() {
  stop();
  const std::lock_guard lock(mutex_);
  begun_ = active_ = false;  // it may have begun after the stop
  return recording_.take();
}

}  // namespace firstlight
