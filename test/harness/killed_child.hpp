#pragma once
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <csignal>

namespace firstlight::test {

/// Lets a child do `work(prepare()) -> bool`, and kills it after so many system calls of the work. It must
/// not use Catch. @returns whether it was killed; else it had done its work before
template <class Prepare, class Work>
[[nodiscard]] bool killed_after(int calls, Prepare prepare, Work work) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto prepared = prepare();
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    _exit(work(prepared) ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  for (int call = 0; WIFSTOPPED(status) && call < 2 * calls; ++call) {  // it stops before and after each
    REQUIRE(ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0);
    REQUIRE(waitpid(child, &status, 0) == child);
  }
  if (!WIFSTOPPED(status)) {
    REQUIRE(status == 0);
    return false;
  }
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, &status, 0) == child);
  return true;
}

}  // namespace firstlight::test
