#include "model/rate_window.hpp"

#include <algorithm>

namespace firstlight {

void rate_window::add(std::uint64_t bytes, instant now) {
  const auto number = number_at(now);
  auto& current = last_.at(static_cast<std::size_t>(number % slots));
  if (current.number != number) current = {number, 0};
  current.bytes += bytes;
}

std::uint64_t rate_window::bytes_per_second(instant now) const {
  const auto first = std::max<std::int64_t>(number_at(now) - slots + 1, 0);
  std::uint64_t bytes = 0;
  for (const auto& one : last_)
    if (one.number >= first) bytes += one.bytes;
  const auto time = std::max<std::chrono::duration<double>>(now - begun_ - first * slot_time, slot_time);
  return static_cast<std::uint64_t>(static_cast<double>(bytes) / time.count());
}

}  // namespace firstlight
