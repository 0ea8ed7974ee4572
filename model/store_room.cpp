#include "model/store_room.hpp"

#include <algorithm>
#include <limits>

#include "model/quantity.hpp"

namespace firstlight {

std::uint64_t store_room::left() const {
  if (bytes_max == 0) return std::numeric_limits<std::uint64_t>::max();
  return bytes_max - std::min(stored, bytes_max);
}

bool store_room::is_too_small_for(std::uint64_t compressed_bytes) const {
  return bytes_max != 0 && stored <= bytes_max && compressed_bytes > bytes_max;
}

error store_room::no_room() const {
  return {errc::no_space, "the hub's store would take more than store_bytes_max (" +
                              rounded_bytes(bytes_max) +
                              "): remove images with 'firstlight image rm', or raise the setting"};
}

}  // namespace firstlight
