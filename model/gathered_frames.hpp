#pragma once
#include <deque>
#include <map>
#include <optional>

#include "model/piece_gathering.hpp"
#include "model/transfer.hpp"

namespace firstlight {

/// The frames of TOCs that come in pieces in one session of a node. An error means that the hub breaks the
/// rules: the session is over, and so is the use of this object until `clear`.
class gathered_frames {
 public:
  struct frame_of {
    std::uint64_t delivery;
    toc_part part;
    friend auto operator<=>(const frame_of&, const frame_of&) = default;
  };

  /// All pieces that are held cost at most `bytes_max` together.
  gathered_frames(std::uint64_t bytes_max, const piece_gathering_limits& limits)
      : bytes_max_(bytes_max), limits_(limits) {}

  /// A piece of a frame that has been whole is ignored. Errors: those of `piece_gathering`; `limit_exceeded`.
  result<void> add(const frame_of& which, std::uint64_t offset, std::vector<std::byte> piece);
  /// Once for each frame, before or after its pieces. Errors: the same.
  result<void> expect(const frame_of& which, std::uint64_t frame_bytes);
  /// Its bytes, once, when it has become whole.
  [[nodiscard]] std::optional<shared_bytes> take(const frame_of& which);
  void clear();

 private:
  [[nodiscard]] bool was_whole(const frame_of& which) const;
  result<piece_gathering*> find_or_begin(const frame_of& which);

  std::uint64_t bytes_max_;
  piece_gathering_limits limits_;
  std::map<frame_of, piece_gathering> begun_;
  std::deque<frame_of> whole_;  ///< the latest, in order
  std::uint64_t cost_bytes_ = 0;
};

}  // namespace firstlight
