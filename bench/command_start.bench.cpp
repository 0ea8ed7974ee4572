// Claim: a command has sent its request a few milliseconds after it was started. Starts a program as
// `PROGRAM mount REFERENCE --socket FILE`, takes the connection and notes when the request has come; then it
// hangs up, which ends the program. Prints wall time from the start to the request, CPU time and page faults
// of the whole process. A pause between runs lets the machine go idle, as it is when a person types.
//   bench_command_start [--program FILE] [--runs N] [--pause SECONDS]
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "test/harness/temporary_folder.hpp"

namespace {

using clock_type = std::chrono::steady_clock;
using milliseconds = std::chrono::duration<double, std::milli>;

const std::string reference = "bench.example/started:1";

struct cost {
  double request_ms = 0;  ///< from the start to the arrival of the request
  double cpu_ms = 0;
  double minor_faults = 0;
  double major_faults = 0;
};

int listen_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      listen(listener, 1) == 0)
    return listener;
  std::perror("cannot listen");
  std::exit(1);
}

pid_t start(const std::string& program, const std::string& socket_path) {
  std::vector<std::string> words{program, "mount", reference, "--socket", socket_path};
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int problem = posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (problem == 0) return child;
  std::fprintf(stderr, "%s: %s\n", program.c_str(), std::strerror(problem));
  std::exit(1);
}

void await_request(int listener) {
  const int link = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  std::string got;
  char piece[4096];
  ssize_t bytes = 1;
  while (bytes > 0 && got.find(reference) == std::string::npos) {
    bytes = read(link, piece, sizeof piece);
    got.append(piece, static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)));
  }
  close(link);
}

double milliseconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

cost measure(const std::string& program, int listener, const std::string& socket_path) {
  const auto began = clock_type::now();
  const auto child = start(program, socket_path);
  await_request(listener);
  const milliseconds took = clock_type::now() - began;
  rusage used{};
  int status = 0;
  wait4(child, &status, 0, &used);
  return {.request_ms = took.count(),
          .cpu_ms = milliseconds_of(used.ru_utime) + milliseconds_of(used.ru_stime),
          .minor_faults = static_cast<double>(used.ru_minflt),
          .major_faults = static_cast<double>(used.ru_majflt)};
}

void print(const char* name, const std::vector<cost>& costs, double cost::*field) {
  std::vector<double> values;
  values.reserve(costs.size());
  for (const auto& one : costs) values.push_back(one.*field);
  std::sort(values.begin(), values.end());
  const auto at = [&](double part) {
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
  };
  std::printf("%-34s median %8.2f   10 %% %8.2f   90 %% %8.2f\n", name, at(0.5), at(0.1), at(0.9));
}

}  // namespace

int main(int argc, char** argv) {
  std::string program = FIRSTLIGHT_PROGRAM;
  int runs = 100;
  double pause = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--program") program = argv[i + 1];
    if (option == "--runs") runs = std::atoi(argv[i + 1]);
    if (option == "--pause") pause = std::atof(argv[i + 1]);
  }
  const firstlight::temporary_folder folder;
  const auto socket_path = (folder.path() / "node.sock").string();
  const int listener = listen_at(socket_path);
  std::vector<cost> costs;
  for (int i = 0; i < runs; ++i) {
    std::this_thread::sleep_for(std::chrono::duration<double>(pause));
    costs.push_back(measure(program, listener, socket_path));
  }
  std::printf("%s, %d runs, %g s between them\n", program.c_str(), runs, pause);
  print("start to request, ms", costs, &cost::request_ms);
  print("CPU time of the process, ms", costs, &cost::cpu_ms);
  print("minor page faults", costs, &cost::minor_faults);
  print("major page faults", costs, &cost::major_faults);
}
