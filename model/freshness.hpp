#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

namespace firstlight {

/// What a hub does about an image that somebody asks for.
enum class freshness : std::uint8_t {
  use,    ///< what is known is good enough
  check,  ///< ask the source what the reference means now, and ingest it when that is new
};

struct freshness_question {
  std::optional<std::int64_t> checked_at;  ///< seconds since the epoch, of the known record; none: not known
  bool pinned = false;                     ///< the reference is by digest: it cannot move
  std::int64_t now = 0;                    ///< seconds since the epoch
  std::chrono::seconds interval{60};       ///< a tag is looked up at most once in this time
};

/// Pinned and known: use. Known and checked within the interval (or, by a clock set back, in the future
/// by no more than that): use. Else check.
[[nodiscard]] constexpr freshness decide_freshness(const freshness_question& question) {
  if (!question.checked_at) return freshness::check;
  if (question.pinned) return freshness::use;
  const auto age = question.now - *question.checked_at;
  const auto limit = question.interval.count();
  return age < limit && age > -limit ? freshness::use : freshness::check;
}

}  // namespace firstlight
