#include "model/warmup.hpp"

#include <algorithm>

namespace firstlight {

using std::chrono::nanoseconds;

warmup::warmup(warmup_limits limits, instant now)
    : limits_(limits), started_(now), over_(!limits.enabled), round_bytes_(limits.first_round_bytes) {}

std::optional<std::uint32_t> warmup::next(instant now) {
  if (over_) return std::nullopt;
  if (now - started_ >= limits_.time_max || sent_ >= limits_.bytes_max) {
    over_ = true;
    return std::nullopt;
  }
  const auto bytes =
      std::min({std::uint64_t{limits_.piece_bytes}, round_bytes_ - round_sent_, limits_.bytes_max - sent_});
  if (bytes == 0) return std::nullopt;
  sent_ += bytes;
  round_sent_ += bytes;
  return static_cast<std::uint32_t>(bytes);
}

void warmup::answered(std::uint32_t bytes, nanoseconds elapsed, instant now) {
  if (round_trip_ == nanoseconds(0) || elapsed < round_trip_) round_trip_ = elapsed;
  if (round_answered_ == 0) {
    first_answer_bytes_ = bytes;
    first_answer_at_ = now;
  }
  round_answered_ += bytes;
  if (round_answered_ >= round_bytes_) end_round(now);
  if (now - started_ >= limits_.time_max) over_ = true;
}

/// The rate is taken between the first and the last answer, so that it does not depend on the round trip.
void warmup::end_round(instant now) {
  const auto span = std::chrono::duration<double>(now - first_answer_at_).count();
  const auto bytes = static_cast<double>(round_answered_ - first_answer_bytes_);
  const auto rate = span > 0 ? bytes / span : 0;
  const bool flat = rate > 0 && rate < rate_ * (100 + limits_.growth_percent) / 100;
  rate_ = std::max(rate_, rate);
  flat_rounds_ = flat ? flat_rounds_ + 1 : 0;
  if (flat_rounds_ >= limits_.flat_rounds_max || (flat && larger_than_link())) over_ = conclusive_ = true;
  if (!flat) round_bytes_ *= 2;
  round_sent_ = round_answered_ = 0;
}

bool warmup::larger_than_link() const {
  const auto product = rate_ * std::chrono::duration<double>(round_trip_).count();
  return static_cast<double>(round_bytes_) > 2 * product;
}

}  // namespace firstlight
