#pragma once
#include <cstdint>

namespace firstlight {

/// Of a walk through folders that others have made.
struct folder_walk_limits {
  std::uint32_t depth_max =
      4096;  ///< folders in each other, each with a descriptor while it is walked through
};

}  // namespace firstlight
