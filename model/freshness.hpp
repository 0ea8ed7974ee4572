#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

namespace firstlight {

/// What a hub does about an image that somebody asks for.
enum class freshness : std::uint8_t {
  use,             ///< what is known is good enough
  use_last_known,  ///< the source was away a moment ago: what is known has to do, and is marked as that
  check,           ///< ask the source what the reference means now, and ingest it when that is new
};

struct freshness_question {
  /// Since the epoch, of the known record: when it was checked, or up to a second before. None: not known.
  std::optional<std::chrono::seconds> checked_at;
  bool pinned = false;                         ///< the reference is by digest: it cannot move
  std::chrono::milliseconds now{0};            ///< since the epoch
  std::chrono::milliseconds interval{60'000};  ///< a tag is looked up at most once in this time
  std::optional<std::chrono::milliseconds>
      away_for{};  ///< since the source was found away; none: it answered the last look, or whoever asks
                   ///< wants it asked whatever it did then
};

/// Pinned and known: use. Known, and its source found away within the interval: use as last known. Known and
/// checked within the interval (or, by a clock set back, in the future by no more than that): use. Else
/// check.
[[nodiscard]] constexpr freshness decide_freshness(const freshness_question& question) {
  if (!question.checked_at) return freshness::check;
  if (question.pinned) return freshness::use;
  if (question.away_for && *question.away_for < question.interval) return freshness::use_last_known;
  const auto age = question.now - *question.checked_at;
  return age < question.interval && age > -question.interval ? freshness::use : freshness::check;
}

}  // namespace firstlight
