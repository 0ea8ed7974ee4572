#include "logins/helper_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "model/secret_text.hpp"

extern char** environ;

namespace firstlight {
namespace {

using clock = std::chrono::steady_clock;

tl::unexpected<error> os_failure(const std::string& what) {
  return fail(errc::io, what + ": " + std::strerror(errno));
}

/// One end of a pipe.
class pipe_end {
 public:
  explicit pipe_end(int number = -1) : number_(number) {}
  ~pipe_end() { close(); }
  pipe_end(pipe_end&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  pipe_end& operator=(pipe_end&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

struct pipe_ends {
  pipe_end read;
  pipe_end write;
};

result<pipe_ends> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return os_failure("pipe");
  return pipe_ends{pipe_end(ends[0]), pipe_end(ends[1])};
}

/// A child in a process group of its own, which is ended and collected at the latest when this goes away.
class child {
 public:
  explicit child(pid_t id) : id_(id) {}
  ~child() {
    if (id_ <= 0) return;
    kill(-id_, SIGKILL);
    kill(id_, SIGKILL);  // before it has made its group
    collect();
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  /// Its exit code once it has ended; nothing if that takes longer.
  std::optional<int> wait(clock::time_point limit) {
    const pipe_end handle(static_cast<int>(syscall(SYS_pidfd_open, id_, 0)));
    if (handle.get() < 0) return std::nullopt;
    pollfd ended{handle.get(), POLLIN, 0};
    while (true) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit - clock::now()).count();
      const int ready = left <= 0 ? 0 : poll(&ended, 1, static_cast<int>(left));
      if (ready > 0) return collect();
      if (ready == 0) return std::nullopt;
    }
  }

 private:
  int collect() {
    int status = 0;
    while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  pid_t id_;
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view known(*one);
    const auto name = known.substr(0, known.find('='));
    bool replaced = false;
    for (const auto& [other, value] : added) replaced = replaced || other == name;
    if (!replaced) all.emplace_back(known);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

result<pid_t> spawn(const helper_program& program, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t none;  // what this thread has blocked, or this process ignores, is nothing to the program
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t ignored_here;
  sigemptyset(&ignored_here);
  sigaddset(&ignored_here, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &ignored_here);
  std::vector<std::string> arguments{program.path};
  arguments.insert(arguments.end(), program.arguments.begin(), program.arguments.end());
  auto environment = environment_with(program.environment);
  const auto argument_pointers = pointers_to(arguments);
  const auto environment_pointers = pointers_to(environment);
  pid_t id = 0;
  const int problem = posix_spawnp(&id, program.path.c_str(), &actions, &attributes, argument_pointers.data(),
                                   environment_pointers.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0) return fail(errc::denied, program.path + " cannot be run: " + std::strerror(problem));
  return id;
}

result<std::string> read_answer(int from, const std::string& name, clock::time_point limit,
                                const helper_limits& limits) {
  std::string answer;
  std::array<char, 4096> part;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit - clock::now()).count();
    pollfd ready{from, POLLIN, 0};
    const int polled = left <= 0 ? 0 : poll(&ready, 1, static_cast<int>(left));
    if (polled == 0) {
      wipe(answer);
      return fail(errc::timed_out,
                  name + " does not answer within " + std::to_string(limits.timeout.count()) + " ms");
    }
    const ssize_t got = polled < 0 ? -1 : ::read(from, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_failure(name);
    if (got == 0) return answer;
    answer.append(part.data(), static_cast<std::size_t>(got));
    if (answer.size() <= limits.answer_bytes_max) continue;
    wipe(answer);
    return fail(errc::limit_exceeded, name + " says too much (answer_bytes_max)");
  }
}

}  // namespace

result<helper_answer> ask_helper(const helper_program& program, const std::string& question,
                                 const helper_limits& limits) {
  const auto limit = clock::now() + limits.timeout;
  auto input = make_pipe();
  if (!input) return tl::unexpected(input.error());
  auto output = make_pipe();
  if (!output) return tl::unexpected(output.error());
  // The question is asked before the helper exists, so that it can neither block nor break: it must fit a
  // pipe.
  fcntl(input->write.get(), F_SETFL, O_NONBLOCK);
  if (::write(input->write.get(), question.data(), question.size()) != static_cast<ssize_t>(question.size()))
    return fail(errc::invalid_argument, program.path + ": the question is too long");
  input->write.close();
  auto id = spawn(program, input->read.get(), output->write.get());
  if (!id) return tl::unexpected(id.error());
  child running(*id);
  output->write.close();
  auto answer = read_answer(output->read.get(), program.path, limit, limits);
  if (!answer) return tl::unexpected(answer.error());
  const auto exit_code = running.wait(limit);
  if (exit_code) return helper_answer{*exit_code, std::move(*answer)};
  wipe(*answer);
  return fail(errc::timed_out,
              program.path + " does not end within " + std::to_string(limits.timeout.count()) + " ms");
}

}  // namespace firstlight
