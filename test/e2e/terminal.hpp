#pragma once
#include "test/e2e/streamed_image.hpp"

namespace firstlight {

/// A terminal with a program in it: a tmux server of its own, which ends with this object.
class terminal {
 public:
  terminal(cluster& all, const std::string& command) : all_(all), socket_((all.folder() / "tmux").string()) {
    REQUIRE(tmux({"new-session", "-d", "-x", "150", "-y", "40", command}).empty());
  }
  ~terminal() { static_cast<void>(tmux({"kill-server"})); }
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;

  void type(const std::string& text) { static_cast<void>(tmux({"send-keys", "-l", text})); }
  void press(const std::string& key) { static_cast<void>(tmux({"send-keys", key})); }
  void enter(const std::string& line) {
    type(line);
    press("Enter");
  }
  void resize(int columns, int rows) {
    CHECK(tmux({"resize-window", "-x", std::to_string(columns), "-y", std::to_string(rows)}).empty());
  }
  bool shows(const std::string& text) {
    return eventually([&] { return screen().find(text) != std::string::npos; });
  }
  std::string screen() { return tmux({"capture-pane", "-p"}); }
  /// Of the program, if the command is `exec PROGRAM`.
  pid_t pid() { return static_cast<pid_t>(std::stol(tmux({"list-panes", "-a", "-F", "#{pane_pid}"}))); }

 private:
  std::string tmux(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"env", "-u", "TMUX", "TERM=xterm", "tmux", "-f", "/dev/null", "-S", socket_});
    auto program = all_.run(arguments);
    REQUIRE(program->wait(std::chrono::seconds(20)));
    return program->output();
  }

  cluster& all_;
  std::string socket_;
};

/// A command line of `firstlight` for a terminal, with the sockets of both daemons and a home of its own.
inline std::string command_for_terminal(cluster& all, const std::string& arguments) {
  return "env FIRSTLIGHT_HUB_SOCKET=" + (all.folder() / "hub.sock").string() +
         " FIRSTLIGHT_NODE_SOCKET=" + (all.folder() / "node.sock").string() +
         " HOME=" + all.folder().string() + " " + cluster::program() + " " + arguments;
}

}  // namespace firstlight
