#include "apps/console/socket_folder.hpp"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

namespace firstlight {
namespace {

constexpr std::array ending{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/// What a handler of signals can reach. It changes only while no handler is set.
struct paths_to_remove {
  std::string hub_socket;
  std::string node_socket;
  std::string folder;
  std::array<struct sigaction, ending.size()> before{};
};
paths_to_remove& to_remove() {
  static paths_to_remove paths;
  return paths;
}

/// Only what signal-safety(7) allows. The signal is blocked here and has its usual effect afterwards.
void remove_and_end(int signal) {
  const auto& paths = to_remove();
  unlink(paths.hub_socket.c_str());
  unlink(paths.node_socket.c_str());
  rmdir(paths.folder.c_str());
  raise(signal);
}

/// Signals that are ignored, as below nohup(1), stay so.
void set_handlers() {
  struct sigaction handler {};
  handler.sa_handler = remove_and_end;
  handler.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&handler.sa_mask);
  for (std::size_t i = 0; i < ending.size(); ++i) {
    auto& before = to_remove().before[i];
    sigaction(ending[i], nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(ending[i], &handler, nullptr);
  }
}

void restore_handlers() {
  for (std::size_t i = 0; i < ending.size(); ++i) sigaction(ending[i], &to_remove().before[i], nullptr);
}

}  // namespace

socket_folder::socket_folder() {
  auto pattern = (std::filesystem::temp_directory_path() / "firstlight-console-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) return;
  path_ = pattern;
  auto& paths = to_remove();
  paths.hub_socket = hub_socket().string();
  paths.node_socket = node_socket().string();
  paths.folder = path_.string();
  set_handlers();
}

socket_folder::~socket_folder() {
  if (path_.empty()) return;
  std::error_code gone;
  std::filesystem::remove_all(path_, gone);
  restore_handlers();
}

}  // namespace firstlight
