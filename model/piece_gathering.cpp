#include "model/piece_gathering.hpp"

#include <algorithm>

namespace firstlight {

result<void> piece_gathering::add(std::uint64_t offset, shared_bytes data) {
  const auto size = data.bytes.size();
  const auto limit = frame_bytes_ > 0 ? frame_bytes_ : bytes_max_;
  if (size == 0 || offset > limit || size > limit - offset)
    return fail(errc::protocol, "a piece lies outside of its frame");
  const auto after = std::lower_bound(pieces_.begin(), pieces_.end(), offset,
                                      [](const piece& one, std::uint64_t at) { return one.offset < at; });
  if (after != pieces_.end() && after->offset == offset && after->data.bytes.size() == size) return {};
  if ((after != pieces_.end() && after->offset < offset + size) ||
      (after != pieces_.begin() && std::prev(after)->end() > offset))
    return fail(errc::protocol, "pieces of a frame overlap");
  pieces_.insert(after, {offset, std::move(data)});
  held_bytes_ += size;
  return {};
}

result<void> piece_gathering::expect(std::uint64_t frame_bytes) {
  if (frame_bytes_ > 0) return fail(errc::protocol, "a frame in pieces was announced twice");
  if (frame_bytes == 0 || frame_bytes > bytes_max_ ||
      (!pieces_.empty() && pieces_.back().end() > frame_bytes))
    return fail(errc::protocol, "a frame in pieces has a wrong size");
  frame_bytes_ = frame_bytes;
  return {};
}

shared_bytes piece_gathering::take() {
  std::vector<std::byte> frame;
  frame.reserve(frame_bytes_);
  for (const auto& one : pieces_) frame.insert(frame.end(), one.data.bytes.begin(), one.data.bytes.end());
  pieces_.clear();
  frame_bytes_ = held_bytes_ = 0;
  return share(std::move(frame));
}

}  // namespace firstlight
