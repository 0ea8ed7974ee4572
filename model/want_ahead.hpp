#pragma once
#include <algorithm>
#include <cstdint>

namespace firstlight {

/// How many bytes are sent behind a want of a content that was wanted out of turn `times` before: twice as
/// many each time, at most `bytes_max`.
[[nodiscard]] constexpr std::uint64_t want_ahead_bytes(std::uint32_t bytes, std::uint32_t bytes_max,
                                                       std::uint32_t times) {
  constexpr std::uint32_t doublings_max = 16;
  return std::min(std::uint64_t{bytes} << std::min(times, doublings_max), std::uint64_t{bytes_max});
}

}  // namespace firstlight
