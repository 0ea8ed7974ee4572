#include "storage/oci/credential_helper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "schemas/json.hpp"
#include "storage/posix_file.hpp"

extern char** environ;

namespace firstlight {
namespace {

using clock = std::chrono::steady_clock;

struct pipe_ends {
  file_descriptor read;
  file_descriptor write;
};

result<pipe_ends> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return tl::unexpected(from_errno(errno, "pipe"));
  return pipe_ends{file_descriptor(ends[0]), file_descriptor(ends[1])};
}

// A child that is ended and collected at the latest when this goes away.
class child {
 public:
  explicit child(pid_t id) : id_(id) {}
  ~child() {
    if (id_ <= 0) return;
    kill(id_, SIGKILL);
    wait();
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  int wait() {
    int status = 0;
    while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = 0;
    return status;
  }

 private:
  pid_t id_;
};

result<pid_t> spawn(const std::string& program, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  std::string name = program;
  std::string verb = "get";
  char* arguments[] = {name.data(), verb.data(), nullptr};
  pid_t id = 0;
  const int problem = posix_spawnp(&id, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (problem != 0)
    return fail(errc::denied, program + " cannot be run: " + from_errno(problem, "spawn").detail);
  return id;
}

result<std::string> read_answer(int from, const std::string& program, const registry_limits& limits) {
  const auto limit = clock::now() + limits.credential_helper_timeout;
  std::string answer;
  std::array<char, 4096> part;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit - clock::now()).count();
    pollfd ready{from, POLLIN, 0};
    if (left <= 0 || poll(&ready, 1, static_cast<int>(left)) == 0) {
      return fail(errc::timed_out, program + " does not answer (credential_helper_timeout)");
    }
    const ssize_t got = ::read(from, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(from_errno(errno, program));
    if (got == 0) return answer;
    answer.append(part.data(), static_cast<std::size_t>(got));
    if (answer.size() > limits.token_bytes_max)
      return fail(errc::limit_exceeded, program + ": token_bytes_max");
  }
}

result<std::optional<registry_credentials>> parse_answer(const std::string& program, int status,
                                                         const std::string& answer) {
  const bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!good && answer.find("credentials not found") != std::string::npos) {
    return std::optional<registry_credentials>{};
  }
  if (!good)
    return fail(errc::denied, program + " failed: " + answer.substr(0, answer.find('\n')).substr(0, 200));
  auto parsed = detail::parse_json_object(answer, "the answer of " + program);
  if (!parsed) return tl::unexpected(parsed.error());
  registry_credentials found{.user = detail::text_member(*parsed, "Username"),
                             .secret = detail::text_member(*parsed, "Secret"),
                             .identity_token = {}};
  if (found.user == "<token>") return registry_credentials{{}, {}, std::move(found.secret)};
  return found;
}

}  // namespace

result<std::optional<registry_credentials>> ask_credential_helper(const std::string& name,
                                                                  const std::string& server,
                                                                  const registry_limits& limits) {
  if (name.empty() || name.find('/') != std::string::npos) {
    return fail(errc::invalid_argument, "credential helper '" + name + "' is no name");
  }
  const std::string program = "docker-credential-" + name;
  auto input = make_pipe();
  if (!input) return tl::unexpected(input.error());
  auto output = make_pipe();
  if (!output) return tl::unexpected(output.error());
  // The question fits a pipe; it is asked before the helper exists, so that it can neither block nor break.
  if (::write(input->write.get(), server.data(), server.size()) != static_cast<ssize_t>(server.size())) {
    return tl::unexpected(from_errno(errno, program));
  }
  input->write = file_descriptor();
  auto id = spawn(program, input->read.get(), output->write.get());
  if (!id) return tl::unexpected(id.error());
  child running(*id);
  output->write = file_descriptor();
  auto answer = read_answer(output->read.get(), program, limits);
  if (!answer) return tl::unexpected(answer.error());
  return parse_answer(program, running.wait(), *answer);
}

}  // namespace firstlight
