#pragma once
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace firstlight::test {

/// A system call that a watched thread is about to make.
struct watched_call {
  pid_t thread = 0;
  long number = 0;  ///< SYS_...
  std::array<std::uint64_t, 6> arguments{};

  /// Where the file is that the descriptor in this argument names, while the call is being judged.
  [[nodiscard]] std::string file(std::size_t argument) const;
};

/// @returns 0: the call happens; else the errno that it fails with instead.
using call_judge = std::function<int(const watched_call&)>;

/// CALL WATCH: runs `work` in a thread of its own (seccomp_unotify(2)). Each call of that thread, and of all
/// threads that come from it, whose number is in `numbers` is shown to `judge` before it happens, one at a
/// time, in another thread. An exception of `work` comes out here. What outlives `work` is watched no more:
/// its calls happen. Not for calls that `judge` itself would wait for.
/// @returns false if this machine lets nobody watch; then nothing has been called
[[nodiscard]] bool watch_calls(const std::vector<long>& numbers, call_judge judge,
                               const std::function<void()>& work);

}  // namespace firstlight::test
