#include "model/retry_after.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace firstlight {

std::optional<std::chrono::seconds> parse_retry_after(std::string_view header) {
  constexpr std::uint32_t day = 86'400;
  std::uint32_t seconds = 0;
  const auto* end = header.data() + header.size();
  const auto [at, problem] = std::from_chars(header.data(), end, seconds);
  if (at != end || header.empty()) return std::nullopt;
  if (problem == std::errc::result_out_of_range) return std::chrono::seconds(day);
  if (problem != std::errc()) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, day));
}

}  // namespace firstlight
