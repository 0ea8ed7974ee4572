#pragma once

namespace firstlight {

/// How much of a busy processor threads get beside others of this process, as nice(2) says it.
inline constexpr int background_niceness = 5;  ///< about a third: nobody waits for them, or a link is slower
inline constexpr int urgent_niceness = -5;     ///< about three times: short work that everybody waits for

/// Changes that of the calling thread; on Linux each thread has its own. Without the right to
/// (CAP_SYS_NICE for negative values) nothing changes.
void change_niceness(int by);

}  // namespace firstlight
