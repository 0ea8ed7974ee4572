#include "model/gathered_frames.hpp"

namespace firstlight {

result<piece_gathering*> gathered_frames::find_or_begin(const frame_of& which) {
  if (const auto found = begun_.find(which); found != begun_.end()) return &found->second;
  if (begun_.size() >= limits_.frames_max)
    return fail(errc::limit_exceeded, "the hub sends too many frames in pieces at once");
  return &begun_.try_emplace(which, bytes_max_, limits_).first->second;
}

result<void> gathered_frames::add(const frame_of& which, std::uint64_t offset, std::vector<std::byte> piece) {
  if (whole_.count(which) > 0) return {};
  const auto frame = find_or_begin(which);
  if (!frame) return tl::unexpected(frame.error());
  held_bytes_ -= (*frame)->held_bytes();
  const auto added = (*frame)->add(offset, std::move(piece));
  held_bytes_ += (*frame)->held_bytes();
  if (added && held_bytes_ > bytes_max_)
    return fail(errc::limit_exceeded, "the hub sends too much in pieces at once");
  return added;
}

result<void> gathered_frames::expect(const frame_of& which, std::uint64_t frame_bytes) {
  if (whole_.count(which) > 0) return fail(errc::protocol, "a frame in pieces was announced twice");
  const auto frame = find_or_begin(which);
  if (!frame) return tl::unexpected(frame.error());
  return (*frame)->expect(frame_bytes);
}

std::optional<shared_bytes> gathered_frames::take(const frame_of& which) {
  const auto found = begun_.find(which);
  if (found == begun_.end() || !found->second.whole()) return std::nullopt;
  held_bytes_ -= found->second.held_bytes();
  auto frame = found->second.take();
  begun_.erase(found);
  whole_.insert(which);
  return frame;
}

void gathered_frames::clear() {
  begun_.clear();
  whole_.clear();
  held_bytes_ = 0;
}

}  // namespace firstlight
