#pragma once
#include <cstdint>

#include "model/piece_gathering.hpp"
#include "model/piece_spread.hpp"

namespace firstlight {

/// Limits of the frames that a hub sends in pieces over several connections. Not settings: hub and node rely
/// on each other's.
struct piece_limits {
  piece_spread_limits spread;        ///< hub
  std::uint32_t transfers_max = 8;   ///< hub: frames in pieces at once to a node; more go as a whole
  piece_gathering_limits gathering;  ///< node
  std::uint64_t head_bytes_max = 256U
                                 << 10U;  ///< node: what announces a frame, and is kept until that is whole
};

static_assert(piece_limits{}.spread.share_bytes_min >= piece_limits{}.gathering.least_piece_bytes);
static_assert(piece_limits{}.transfers_max <= piece_limits{}.gathering.frames_max);

}  // namespace firstlight
