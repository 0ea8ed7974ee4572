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
    doubtful_.forget();
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
  note(doubtful_.opened(content, when));
}

void access_recorder::miss_opens() {
  const std::lock_guard lock(mutex_);
  follows_opens_ = false;
  note(doubtful_.count_all());
}

void access_recorder::note(const std::vector<doubtful_read>& reads) {
  for (const auto& one : reads) recording_.read(one.run, one.blocks_of_content, one.when, one.wait);
}

void access_recorder::note_if_opened(const doubtful_read& read) {
  if (doubtful_.counts(read)) note({read});
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

void access_recorder::read_if_opened(const block_run& run, std::uint32_t blocks_of_content) {
  if (!active()) return;
  if (detail_ == recorded_detail::files) return;  // what is opened is told without this
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  note_if_opened({run, blocks_of_content, now, {}});
}

void access_recorder::waits_if_opened(std::uint32_t content) {
  const std::lock_guard lock(mutex_);
  doubtful_.waits(content);
}

void access_recorder::waited_if_opened(const block_run& run, std::uint32_t blocks_of_content, instant since) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  const bool own = doubtful_.is_opened(run.content);
  doubtful_.waits_no_more(run.content);
  if (!active()) return;
  note_if_opened({run, blocks_of_content, since, now - since});
  if (own) recording_.goes_on(now);
}

void access_recorder::gave_up_if_opened(std::uint32_t content) {
  const std::lock_guard lock(mutex_);
  doubtful_.waits_no_more(content);
}

void access_recorder::goes_on() {
  const std::lock_guard lock(mutex_);
  recording_.goes_on(std::chrono::steady_clock::now());
}

bool access_recorder::settled(instant now) const {
  const std::lock_guard lock(mutex_);
  const bool somebody_waits = waiting_ > 0 || doubtful_.somebody_waits();
  return recording_.settled(now) && (!somebody_waits || recording_.too_long(now));
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
  doubtful_.forget();
  return recording_.take();
}

}  // namespace firstlight
