#pragma once
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

namespace firstlight {

/// A forked child that runs `body() -> int` and ends with its result; killed and reaped at the end of life.
/// The body uses system calls only: the parent has threads.
class child_process {
 public:
  template <class Body>
  explicit child_process(Body body) : pid_(fork()) {
    if (pid_ == 0) _exit(body());
  }
  ~child_process() {
    if (!reaped_) {
      ::kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }

  /// The wait status if it has ended, as waitpid(2) gives it.
  std::optional<int> ended() {
    int status = 0;
    if (reaped_ || waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    reaped_ = true;
    return status;
  }

 private:
  pid_t pid_;
  bool reaped_ = false;
};

}  // namespace firstlight
