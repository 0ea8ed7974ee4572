#pragma once
#include <cstdint>
#include <deque>
#include <optional>

namespace firstlight {

struct piece_spread_limits {
  std::uint64_t opening_shares = 2;      ///< of a frame to an opening connection for one to a standing one
  std::uint64_t share_bytes_min = 1024;  ///< less is hardly worth its message
  /// Two of it and their envelope are nine of the first window's ten packets.
  std::uint64_t share_bytes_max = 6400;
};

/// How a frame is spread in pieces over connections that have just been opened. A new TCP connection sends
/// ten packets and then one round trip long nothing (RFC 6928, initial window), so a frame that is larger
/// takes a round trip more for each doubling; several connections have a window each. Used for one frame on
/// one thread.
class piece_spread {
 public:
  struct piece {
    std::uint64_t offset = 0;
    std::uint32_t bytes = 0;
    friend bool operator==(const piece&, const piece&) = default;
  };
  enum class connection_kind : std::uint8_t {
    standing,  ///< carries other things, too, and may be paced: gets half as much
    opening,
  };
  /// What one connection has been sent and has not answered.
  struct load {
    std::uint32_t pieces = 0;        ///< of this frame
    std::uint64_t bytes = 0;         ///< of pieces of all frames
    std::uint64_t window_bytes = 0;  ///< what TCP lets it have on its way
    connection_kind kind = connection_kind::standing;
  };

  /// So many of each kind can be sent to now; `awaited` others are being opened.
  piece_spread(std::uint64_t frame_bytes, std::uint32_t standing, std::uint32_t opening,
               std::uint32_t awaited, const piece_spread_limits& limits);

  /// The next piece for a connection with this load. None: all have been taken, or those that are left are
  /// for connections that are awaited.
  [[nodiscard]] std::optional<piece> next(const load& on);

  /// One of the awaited connections is there.
  void arrived();
  /// A piece has been answered. From now on no other connection is awaited: a round trip has passed.
  void answered(const piece& which);
  /// Its connection ended before it was answered: another one takes it as it is, since it may have arrived.
  void lost(const piece& which);

  [[nodiscard]] bool over() const { return answered_bytes_ == frame_bytes_; }

 private:
  [[nodiscard]] std::uint64_t share_of(connection_kind kind) const;
  [[nodiscard]] std::uint64_t reserved_bytes() const;

  piece_spread_limits limits_;
  std::uint64_t frame_bytes_;
  std::uint64_t share_bytes_;  ///< of a standing one
  std::uint32_t awaited_;
  std::uint64_t answered_bytes_ = 0;
  piece uncut_;  ///< the rest, which no connection has taken
  std::deque<piece> lost_;
};

}  // namespace firstlight
