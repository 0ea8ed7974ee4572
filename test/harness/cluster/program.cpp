#include "test/harness/cluster/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>
#include <system_error>

namespace firstlight {
namespace {

constexpr std::chrono::minutes kill_limit(1);  // a process that waits for a file system can hold out

// Between fork and exec: system calls only, since the parent has threads.
[[noreturn]] void become(char** arguments, const char* output, const char* errors, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);  // it died before the line above
  const int input = open("/dev/null", O_RDONLY);
  const int out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int err = open(errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (input < 0 || out < 0 || err < 0) _exit(126);
  dup2(input, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);  // what the test has open: sh cannot name descriptors above 9
  execvp(arguments[0], arguments);
  _exit(127);
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

running_program::running_program(const std::vector<std::string>& arguments, const std::filesystem::path& log)
    : log_(log) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const auto output = log_.string() + ".out";
  const auto errors = log_.string() + ".err";
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) become(pointers.data(), output.c_str(), errors.c_str(), parent);
  setpgid(pid_, pid_);  // whoever of the two comes first
  descriptor_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "pidfd_open");
}

running_program::~running_program() {
  kill();
  close(descriptor_);
}

void running_program::signal(int number) const {
  if (!ended_) ::kill(-pid_, number);
}

std::optional<program_end> running_program::wait(std::chrono::milliseconds limit) {
  if (ended_) return ended_;
  pollfd polled{descriptor_, POLLIN, 0};
  if (poll(&polled, 1, static_cast<int>(limit.count())) != 1) return std::nullopt;
  int status = 0;
  waitpid(pid_, &status, 0);
  ended_ = WIFEXITED(status) ? program_end{WEXITSTATUS(status), 0} : program_end{-1, WTERMSIG(status)};
  return ended_;
}

void running_program::kill() {
  signal(SIGKILL);
  if (!wait(kill_limit))
    std::cerr << "process " << pid_ << " does not end although it was killed; it waits in the kernel for "
              << text_of("/proc/" + std::to_string(pid_) + "/wchan") << std::endl;
}

std::string running_program::output() const {
  return text_of(log_.string() + ".out");
}

std::string running_program::errors() const {
  return text_of(log_.string() + ".err");
}

}  // namespace firstlight
