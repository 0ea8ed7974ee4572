#pragma once
#include <cstdint>

namespace firstlight {

/// Whether a thread has been killed (SIGKILL is pending for it, as the kernel marks every deadly signal) or
/// is gone. A number of 0 (another PID namespace) counts as killed: nobody could tell later.
[[nodiscard]] bool is_killed(std::uint32_t thread);

}  // namespace firstlight
