#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "model/bytes.hpp"
#include "model/result.hpp"

namespace firstlight {

struct piece_gathering_limits {
  std::uint64_t least_piece_bytes = 512;  ///< on average, when there are as many as there may be
  std::uint32_t frames_max = 128;         ///< begun and not whole
  std::uint32_t whole_known_max = 128;    ///< the latest whole ones, of which pieces may come again
};

/// The pieces of one frame, in whatever order they come, before or after it is known how large the frame is.
class piece_gathering {
 public:
  /// No frame has more than `bytes_max`, nor more pieces than one for each `least_piece_bytes` of them.
  piece_gathering(std::uint64_t bytes_max, const piece_gathering_limits& limits)
      : bytes_max_(bytes_max), least_piece_bytes_(limits.least_piece_bytes) {}

  /// A piece that came already is ignored. Errors: `protocol`, for what lies outside of the frame or overlaps
  /// with another one in part, and for too many.
  result<void> add(std::uint64_t offset, std::vector<std::byte> piece);
  /// To be said once. Errors: `protocol`, for a size above the limit or pieces that lie outside.
  result<void> expect(std::uint64_t frame_bytes);

  [[nodiscard]] bool whole() const { return frame_bytes_ > 0 && held_bytes_ == frame_bytes_; }
  /// What the pieces count against a limit: their bytes, or more when they are small, since each takes memory
  /// of its own.
  [[nodiscard]] std::uint64_t cost_bytes() const {
    return std::max<std::uint64_t>(held_bytes_, pieces_.size() * least_piece_bytes_);
  }
  /// Of a whole one: its bytes. Leaves nothing.
  [[nodiscard]] shared_bytes take();

 private:
  std::uint64_t bytes_max_;
  std::uint64_t least_piece_bytes_;
  std::uint64_t frame_bytes_ = 0;
  std::uint64_t held_bytes_ = 0;
  std::map<std::uint64_t, std::vector<std::byte>> pieces_;  ///< by offset
};

}  // namespace firstlight
