#include "apps/keeper.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "fuse_bridge/keeper_process.hpp"

namespace firstlight {
namespace {

constexpr const char* subcommand = "keeper";
constexpr int word_count = 8;

/// File actions and attributes of posix_spawn(3) that end with their scope.
struct spawn_plan {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  spawn_plan() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~spawn_plan() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;
};

void detach_from_terminal(spawn_plan& plan) {
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&plan.attributes, &none);
  posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
}

template <class Number>
bool parse(const char* text, Number& number) {
  const std::string_view word(text);
  const auto end = word.data() + word.size();
  return std::from_chars(word.data(), end, number) == std::from_chars_result{end, std::errc{}};
}

void allow_many_files() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

result<void> spawn_keeper(int listener, const std::filesystem::path& socket, const keeper_limits& limits,
                          const caretaker_places& places) {
  spawn_plan plan;
  posix_spawn_file_actions_adddup2(&plan.files, listener, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&plan.files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  detach_from_terminal(plan);
  std::array<std::string, word_count> words{"firstlight",
                                            subcommand,
                                            socket.string(),
                                            std::to_string(limits.takeover_wait.count()),
                                            std::to_string(limits.kept_mounts_max),
                                            std::to_string(limits.message_bytes_max),
                                            places.store.string(),
                                            places.early_contents.string()};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int status =
      posix_spawn(&child, "/proc/self/exe", &plan.files, &plan.attributes, arguments.data(), environ);
  if (status != 0) return tl::unexpected(from_errno(status, "start /proc/self/exe"));
  return {};
}

std::optional<int> run_as_keeper(int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != subcommand) return std::nullopt;
  keeper_limits limits;
  std::int64_t wait_ms = 0;
  if (argc != word_count || !parse(argv[3], wait_ms) || !parse(argv[4], limits.kept_mounts_max) ||
      !parse(argv[5], limits.message_bytes_max)) {
    std::fprintf(stderr, "firstlight keeper: a node starts it; there is nothing to start by hand\n");
    return 2;
  }
  limits.takeover_wait = std::chrono::milliseconds(wait_ms);
  prctl(PR_SET_NAME, "keeper");
  allow_many_files();
  if (chdir("/") != 0) std::perror("firstlight keeper: its folder stays in use: chdir /");
  const std::filesystem::path socket = argv[2];
  const auto given_up = run_keeper(file_descriptor(STDIN_FILENO), socket, limits, {argv[6], argv[7]});
  if (given_up != 0)
    std::fprintf(stderr, "firstlight keeper: no node came back within %lld ms: %zu mounts end\n",
                 static_cast<long long>(wait_ms), given_up);
  return 0;
}

}  // namespace firstlight
