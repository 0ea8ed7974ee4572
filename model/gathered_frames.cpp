#include "model/gathered_frames.hpp"

#include <algorithm>

namespace firstlight {

bool gathered_frames::was_whole(const frame_of& which) const {
  return std::find(whole_.begin(), whole_.end(), which) != whole_.end();
}

result<piece_gathering*> gathered_frames::find_or_begin(const frame_of& which) {
  if (const auto found = begun_.find(which); found != begun_.end()) return &found->second;
  if (begun_.size() >= limits_.frames_max)
    return fail(errc::limit_exceeded, "the hub sends too many frames in pieces at once");
  return &begun_.try_emplace(which, bytes_max_, limits_).first->second;
}

result<void> gathered_frames::add(const frame_of& which, std::uint64_t offset, std::vector<std::byte> piece) {
  if (was_whole(which)) return {};
  const auto frame = find_or_begin(which);
  if (!frame) return tl::unexpected(frame.error());
  cost_bytes_ -= (*frame)->cost_bytes();
  const auto added = (*frame)->add(offset, std::move(piece));
  cost_bytes_ += (*frame)->cost_bytes();
  if (added && cost_bytes_ > bytes_max_)
    return fail(errc::limit_exceeded, "the hub sends too much in pieces at once");
  return added;
}

result<void> gathered_frames::expect(const frame_of& which, std::uint64_t frame_bytes) {
  if (was_whole(which)) return fail(errc::protocol, "a frame in pieces was announced twice");
  const auto frame = find_or_begin(which);
  if (!frame) return tl::unexpected(frame.error());
  return (*frame)->expect(frame_bytes);
}

std::optional<shared_bytes> gathered_frames::take(const frame_of& which) {
  const auto found = begun_.find(which);
  if (found == begun_.end() || !found->second.whole()) return std::nullopt;
  cost_bytes_ -= found->second.cost_bytes();
  auto frame = found->second.take();
  begun_.erase(found);
  whole_.push_back(which);
  if (whole_.size() > limits_.whole_known_max) whole_.pop_front();
  return frame;
}

void gathered_frames::clear() {
  begun_.clear();
  whole_.clear();
  cost_bytes_ = 0;
}

}  // namespace firstlight
