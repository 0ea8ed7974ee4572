#include "model/piece_gathering.hpp"

namespace firstlight {

result<void> piece_gathering::add(std::uint64_t offset, std::vector<std::byte> piece) {
  const auto size = piece.size();
  const auto limit = frame_bytes_ > 0 ? frame_bytes_ : bytes_max_;
  if (size == 0 || offset > limit || size > limit - offset)
    return fail(errc::protocol, "a piece lies outside of its frame");
  const auto after = pieces_.lower_bound(offset);
  if (after != pieces_.end() && after->first == offset && after->second.size() == size) return {};
  if (after != pieces_.end() && after->first < offset + size)
    return fail(errc::protocol, "pieces of a frame overlap");
  if (after != pieces_.begin()) {
    const auto& [at, before] = *std::prev(after);
    if (at + before.size() > offset) return fail(errc::protocol, "pieces of a frame overlap");
  }
  if (pieces_.size() > bytes_max_ / least_piece_bytes_)
    return fail(errc::protocol, "a frame comes in too many pieces");
  pieces_.emplace_hint(after, offset, std::move(piece));
  held_bytes_ += size;
  return {};
}

result<void> piece_gathering::expect(std::uint64_t frame_bytes) {
  if (frame_bytes_ > 0) return fail(errc::protocol, "a frame in pieces was announced twice");
  const auto end = pieces_.empty() ? 0 : pieces_.rbegin()->first + pieces_.rbegin()->second.size();
  if (frame_bytes == 0 || frame_bytes > bytes_max_ || end > frame_bytes)
    return fail(errc::protocol, "a frame in pieces has a wrong size");
  frame_bytes_ = frame_bytes;
  return {};
}

shared_bytes piece_gathering::take() {
  std::vector<std::byte> frame;
  frame.reserve(frame_bytes_);
  for (const auto& [offset, piece] : pieces_) frame.insert(frame.end(), piece.begin(), piece.end());
  pieces_.clear();
  frame_bytes_ = held_bytes_ = 0;
  return share(std::move(frame));
}

}  // namespace firstlight
