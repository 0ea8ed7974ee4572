#include "test/harness/supervisor.hpp"

#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace firstlight::test {
namespace {

std::vector<std::string> mounts_below(const std::string& folder) {
  std::vector<std::string> found;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string id, parent, device, root, target;
    fields >> id >> parent >> device >> root >> target;
    if (target.starts_with(folder + "/")) found.push_back(target);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

/// The child's own processes end with it, but a moment later: until then they may still write.
void clean(const std::string& folder) {
  using namespace std::chrono_literals;
  for (auto tries = 0; tries < 100 && std::filesystem::exists(folder); ++tries) {
    if (tries > 0) std::this_thread::sleep_for(50ms);
    for (const auto& target : mounts_below(folder)) {
      umount2(target.c_str(), MNT_FORCE);
      umount2(target.c_str(), MNT_DETACH);
    }
    std::error_code again;
    std::filesystem::remove_all(folder, again);
  }
}

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&signals, one);
  return signals;
}

}  // namespace

int supervise(const std::function<int()>& work) {
  auto folder = (std::filesystem::temp_directory_path() / "fl-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    std::perror("a folder for temporary files cannot be made");
    return EXIT_FAILURE;
  }
  ::chmod(folder.c_str(), 0755);  // tests look at files as other users, too
  const auto signals = ending_signals();
  sigset_t before;
  sigprocmask(SIG_BLOCK, &signals, &before);
  const auto supervisor = getpid();
  const auto child = fork();
  if (child == 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor) _exit(EXIT_FAILURE);  // it ended before that was set
    setenv("TMPDIR", folder.c_str(), 1);
    std::exit(work());
  }
  int status = EXIT_FAILURE << 8;
  while (child > 0) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGCHLD) kill(child, SIGKILL);
    if (waitpid(child, &status, WNOHANG) == child) break;
  }
  clean(folder);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace firstlight::test
