#pragma once
#include <algorithm>

#include "model/delivery.hpp"

namespace firstlight {

/// How far what is sent because of a want reaches beyond it, in blocks of the same content.
struct want_reach {
  std::uint32_t with = 0;    ///< in the same segment
  std::uint32_t behind = 0;  ///< after those, behind all wants and before the plan
  friend bool operator==(const want_reach&, const want_reach&) = default;
};

/// The rule of the hub: each further want of a content doubles how much of what follows is sent. `times` is
/// how often the content was wanted before, `blocks_left` how many blocks it has behind the want.
[[nodiscard]] constexpr want_reach reach_of_want(const delivery_limits& limits, block_geometry geometry,
                                                 std::uint32_t times, std::uint32_t blocks_left) {
  constexpr std::uint32_t doublings_max = 16;
  const auto blocks_in = [&](std::uint64_t bytes) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes / geometry.block_bytes, blocks_left));
  };
  const auto far = std::min(std::uint64_t{limits.want_ahead_bytes} << std::min(times, doublings_max),
                            std::uint64_t{limits.want_ahead_bytes_max});
  const auto with = blocks_in(limits.want_ahead_bytes);
  return {with, std::max(blocks_in(far), with) - with};
}

}  // namespace firstlight
