#include "apps/console/line_editor.hpp"

#include <editline/readline.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "apps/interruption.hpp"

namespace firstlight {
namespace {

bool at_terminal() {
  return isatty(STDIN_FILENO) == 1;
}

/// Readable once a signal has come while a line is typed: libedit calls back without anything of ours.
int& signals_of_line() {
  static int descriptor = -1;
  return descriptor;
}

/// libedit's own waits for keys alone: a signal before its read(2) would be noticed with the next key only.
/// It takes a letter for a wide one: of others than ASCII's it drops the bytes, as libedit's own does in this
/// program's locale.
int next_key(std::FILE* in) {
  const int input = fileno(in);
  for (;;) {
    std::array<pollfd, 2> waiting{pollfd{signals_of_line(), POLLIN, 0}, pollfd{input, POLLIN, 0}};
    if (poll(waiting.data(), waiting.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return EOF;
    }
    if (waiting[0].revents != 0) return EOF;
    unsigned char letter = 0;
    const auto got = ::read(input, &letter, 1);
    if (got == 1 && letter < 0x80) return letter;
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) return EOF;
  }
}

std::optional<std::string> read_any(const char* prompt) {
  const std::unique_ptr<char, decltype(&std::free)> line(readline(prompt), &std::free);
  return line == nullptr ? std::nullopt : std::optional<std::string>(line.get());
}

}  // namespace

line_editor::line_editor(const std::vector<std::string>& history, int history_max) {
  rl_readline_name = const_cast<char*>("firstlight");
  if (at_terminal()) rl_getc_function = next_key;  // looked at once, by what follows
  using_history();
  stifle_history(history_max);
  for (const auto& line : history) remember(line);
}

std::optional<std::string> line_editor::read(const char* prompt) const {
  if (!at_terminal()) return read_any("");
  for (;;) {
    interruption signals;
    signals_of_line() = signals.descriptor();
    rl_resize_terminal();  // else lines are wrapped as wide as the terminal was in the beginning
    auto line = read_any(prompt);
    signals_of_line() = -1;
    const auto signal = signals.take();
    if (!signal) return line;
    if (*signal != SIGINT) return std::nullopt;
    std::puts("^C");
  }
}

int line_editor::interrupt() {
  return signals_of_line();
}

void line_editor::remember(const std::string& line) const {
  add_history(line.c_str());
}

}  // namespace firstlight
