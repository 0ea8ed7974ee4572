#pragma once
#include <cstddef>

namespace firstlight {

/// What `firstlight install` reads of other programs' files.
struct install_limits {
  std::size_t config_bytes_max = 1U << 20U;
};

}  // namespace firstlight
