#pragma once
#include <cstdint>

namespace firstlight {

/// What the kernel knows a file by: an inode of the image by its number there, whatever was made on the
/// mount by a number above all of those.
using node_number = std::uint64_t;

}  // namespace firstlight
