#include "apps/runtime_process.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;  // NOLINT: POSIX has no header for it

namespace firstlight {
namespace {

/// Blocks signals for its lifetime.
class blocked_signals {
 public:
  blocked_signals() {
    sigemptyset(&taken_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD})
      sigaddset(&taken_, signal);
    sigprocmask(SIG_BLOCK, &taken_, &before_);
  }
  ~blocked_signals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  blocked_signals(const blocked_signals&) = delete;
  blocked_signals& operator=(const blocked_signals&) = delete;

  [[nodiscard]] const sigset_t& taken() const { return taken_; }

 private:
  sigset_t taken_{};
  sigset_t before_{};
};

result<pid_t> start(const std::vector<std::string>& command, const sigset_t& mask) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigmask(&attributes, &mask);
  sigset_t ignored_here;
  sigemptyset(&ignored_here);
  sigaddset(&ignored_here, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &ignored_here);
  pid_t child = 0;
  const int problem = posix_spawnp(&child, arguments[0], nullptr, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (problem == ENOENT)
    return fail(errc::not_found,
                command[0] + " is not installed; install it, e.g. 'apt-get install " + command[0] + "'");
  if (problem != 0) return fail(errc::io, "cannot start " + command[0] + ": " + std::strerror(problem));
  return child;
}

/// The terminal sends its signals to the whole foreground group, so the child has those already.
bool came_from_terminal(const siginfo_t& info) {
  return info.si_code == SI_KERNEL;
}

}  // namespace

result<int> run_attached(const std::vector<std::string>& command, const sigset_t& blocked) {
  const blocked_signals signals;
  const auto child = start(command, blocked);
  if (!child) return tl::unexpected(child.error());
  for (;;) {
    int status = 0;
    const auto ended = waitpid(*child, &status, WNOHANG);
    if (ended == *child && WIFEXITED(status)) return WEXITSTATUS(status);
    if (ended == *child && WIFSIGNALED(status)) return 128 + WTERMSIG(status);
    if (ended < 0)
      return fail(errc::io, std::string("cannot wait for ") + command[0] + ": " + std::strerror(errno));
    siginfo_t info{};
    if (sigwaitinfo(&signals.taken(), &info) < 0) continue;
    if (info.si_signo != SIGCHLD && !came_from_terminal(info)) kill(*child, info.si_signo);
  }
}

}  // namespace firstlight
