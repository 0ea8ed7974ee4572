#include "model/piece_spread.hpp"

#include <algorithm>

namespace firstlight {
namespace {

constexpr std::uint64_t alignment = 8;  // of what a message refers to without a copy

std::uint64_t standing_share(std::uint64_t frame_bytes, std::uint64_t shares,
                             const piece_spread_limits& limits) {
  const auto even = (frame_bytes + shares - 1) / std::max<std::uint64_t>(1, shares);
  return std::clamp((even + alignment - 1) / alignment * alignment, limits.share_bytes_min,
                    limits.share_bytes_max);
}

}  // namespace

piece_spread::piece_spread(std::uint64_t frame_bytes, std::uint32_t standing, std::uint32_t opening,
                           std::uint32_t awaited, const piece_spread_limits& limits)
    : limits_(limits),
      frame_bytes_(frame_bytes),
      share_bytes_(standing_share(
          frame_bytes, standing + limits.opening_shares * (std::uint64_t{opening} + awaited), limits)),
      awaited_(awaited),
      uncut_{0, static_cast<std::uint32_t>(frame_bytes)} {}

std::uint64_t piece_spread::share_of(connection_kind kind) const {
  return kind == connection_kind::opening ? limits_.opening_shares * share_bytes_ : share_bytes_;
}

std::uint64_t piece_spread::reserved_bytes() const {
  return awaited_ * share_of(connection_kind::opening);
}

std::optional<piece_spread::piece> piece_spread::next(const load& on) {
  const auto share = share_of(on.kind);
  const bool again = !lost_.empty();
  const piece first =
      again ? lost_.front()
            : piece{uncut_.offset, static_cast<std::uint32_t>(std::min<std::uint64_t>(share, uncut_.bytes))};
  if (first.bytes == 0) return std::nullopt;
  // Each may have one at once, so a frame never waits for connections alone.
  const bool spare = again || uncut_.bytes > reserved_bytes();
  if (on.pieces > 0 && (!spare || on.bytes + first.bytes > on.window_bytes)) return std::nullopt;
  if (again) {
    lost_.pop_front();
  } else {
    uncut_.offset += first.bytes;
    uncut_.bytes -= first.bytes;
  }
  return first;
}

void piece_spread::arrived() {
  if (awaited_ > 0) --awaited_;
}

void piece_spread::answered(const piece& which) {
  awaited_ = 0;
  answered_bytes_ += which.bytes;
}

void piece_spread::lost(const piece& which) {
  lost_.push_back(which);
}

}  // namespace firstlight
