#include "model/piece_spread.hpp"

#include <algorithm>

namespace firstlight {
namespace {

// Less is hardly worth its message. More than the first packets of a connection waits for its pacing: BBR
// sends ten at once, of which the handshake has taken some.
constexpr std::uint64_t piece_bytes_min = 2048;
constexpr std::uint64_t piece_bytes_max = 7168;
constexpr std::uint64_t alignment = 8;  // of what a message refers to without a copy

std::uint32_t piece_bytes(std::uint64_t frame_bytes, std::uint64_t connections) {
  const auto share = (frame_bytes + connections - 1) / connections;
  const auto aligned = (share + alignment - 1) / alignment * alignment;
  return static_cast<std::uint32_t>(std::clamp(aligned, piece_bytes_min, piece_bytes_max));
}

}  // namespace

piece_spread::piece_spread(std::uint64_t frame_bytes, std::uint32_t there, std::uint32_t awaited)
    : frame_bytes_(frame_bytes), awaited_(awaited) {
  const auto bytes = piece_bytes(frame_bytes, std::max<std::uint64_t>(1, std::uint64_t{there} + awaited));
  for (std::uint64_t at = 0; at < frame_bytes; at += bytes)
    waiting_.push_back({at, static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, frame_bytes - at))});
}

std::optional<piece_spread::piece> piece_spread::next(const load& on) {
  if (waiting_.empty()) return std::nullopt;
  const auto first = waiting_.front();
  // Each may have one at once, so a frame never waits for connections alone.
  const bool more = waiting_.size() > awaited_ && on.bytes + first.bytes <= on.window_bytes;
  if (on.pieces > 0 && !more) return std::nullopt;
  waiting_.pop_front();
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
  waiting_.push_front(which);
}

}  // namespace firstlight
