#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace firstlight {

/// Something that has happened in a daemon.
struct event {
  std::uint64_t number = 0;  ///< counts from 1
  std::int64_t at_ms = 0;    ///< milliseconds since the epoch
  std::string kind;          ///< "mounted", "node joined", ...
  std::string about;         ///< whom or what
  friend bool operator==(const event&, const event&) = default;
};

/// EVENT LOG: the latest events of a process, numbered, so that whoever follows misses none that is
/// remembered. Time comes from the caller. Not thread-safe.
class event_log {
 public:
  explicit event_log(std::size_t kept_max = 1024) : kept_max_(kept_max) {}

  void note(std::int64_t at_ms, std::string kind, std::string about) {
    events_.push_back({++last_, at_ms, std::move(kind), std::move(about)});
    if (events_.size() > kept_max_) events_.pop_front();
  }
  /// Those with a higher number than `after`, the oldest first.
  [[nodiscard]] std::vector<event> since(std::uint64_t after) const {
    std::vector<event> later;
    for (const auto& one : events_)
      if (one.number > after) later.push_back(one);
    return later;
  }

 private:
  std::size_t kept_max_;
  std::deque<event> events_;
  std::uint64_t last_ = 0;
};

}  // namespace firstlight
