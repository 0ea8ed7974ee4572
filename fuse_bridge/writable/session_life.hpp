#pragma once
#include <cstdint>

namespace firstlight {

/// Whose requests a file system answers: of a new session of the kernel, or of one that an earlier process
/// has answered before.
enum class session_life : std::uint8_t { fresh, taken_over };

}  // namespace firstlight
