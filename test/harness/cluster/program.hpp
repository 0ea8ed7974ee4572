#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace firstlight {

/// How a program ended.
struct program_end {
  int exit_code = -1;  ///< -1: by a signal
  int signal = 0;      ///< 0: by itself
  friend bool operator==(const program_end&, const program_end&) = default;
};

/// A program started by execvp in a process group of its own; what it prints goes to two files. It dies with
/// this process, and is killed with its group at the end of life. One thread.
class running_program {
 public:
  /// `log` names the files: log.out and log.err. Throws std::system_error.
  running_program(const std::vector<std::string>& arguments, const std::filesystem::path& log);
  ~running_program();
  running_program(const running_program&) = delete;
  running_program& operator=(const running_program&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }  ///< readable (poll) once it has ended
  void signal(int number) const;                                ///< to the group
  /// Nothing if it has not ended within `limit`.
  std::optional<program_end> wait(std::chrono::milliseconds limit);
  void kill();  ///< SIGKILL to the group; returns when it has ended, or says that it does not

  [[nodiscard]] std::string output() const;
  [[nodiscard]] std::string errors() const;

 private:
  std::filesystem::path log_;
  pid_t pid_ = -1;
  int descriptor_ = -1;
  std::optional<program_end> ended_;
};

}  // namespace firstlight
