#include "apps/interruption.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace firstlight {
namespace {

/// As below nohup(1). Blocked it would be taken all the same.
bool is_ignored(int signal) {
  struct sigaction now {};
  return sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

interruption::interruption() {
  sigset_t taken;
  sigemptyset(&taken);
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT}) sigaddset(&taken, signal);
  if (!is_ignored(SIGHUP)) sigaddset(&taken, SIGHUP);
  sigprocmask(SIG_BLOCK, &taken, &before_);
  descriptor_ = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
}

interruption::~interruption() {
  if (descriptor_ >= 0) close(descriptor_);
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool interruption::wait_for(std::chrono::milliseconds time) const {
  pollfd waiting{descriptor_, POLLIN, 0};
  return poll(&waiting, 1, static_cast<int>(time.count())) > 0;
}

std::optional<int> interruption::take() {
  signalfd_siginfo info{};
  if (descriptor_ < 0 || read(descriptor_, &info, sizeof info) != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace firstlight
