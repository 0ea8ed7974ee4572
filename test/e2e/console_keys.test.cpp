#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "test/e2e/terminal.hpp"

namespace firstlight {
namespace {

/// A daemon's socket at which nobody ever answers.
class mute_daemon {
 public:
  explicit mute_daemon(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(socket_, 8) == 0);
  }
  ~mute_daemon() { close(socket_); }
  mute_daemon(const mute_daemon&) = delete;
  mute_daemon& operator=(const mute_daemon&) = delete;

 private:
  int socket_;
};

}  // namespace

TEST_CASE("^C in the console ends what a command waits for, and leads back to the prompt") {
  if (!cluster::possible()) return;
  cluster all({.link_bytes_per_second = slow_link / 10});
  all.add(make_streamed_image(all.folder() / "streamed").layout, "streamed:1");
  terminal screen(all, command_for_terminal(all, "console"));
  REQUIRE(screen.shows("firstlight>"));
  screen.enter("pull streamed:1");
  REQUIRE(eventually([&] { return !all.on_node({"receivers"}).reply["receivers"].empty(); }));
  screen.press("C-c");
  CHECK(screen.shows("firstlight: interrupted"));
  screen.enter("log-level info");
  CHECK(screen.shows("log level info"));
}

TEST_CASE("^C leads back to the prompt when a daemon does not say what can be completed") {
  if (!cluster::possible()) return;
  cluster all;
  const auto socket = (all.folder() / "mute.sock").string();
  const mute_daemon daemon(socket);
  terminal screen(all, "env FIRSTLIGHT_HUB_SOCKET=" + socket + " FIRSTLIGHT_NODE_SOCKET=" + socket +
                           " HOME=" + all.folder().string() + " " + cluster::program() + " console");
  REQUIRE(screen.shows("firstlight>"));
  screen.type("umount c");
  REQUIRE(screen.shows("firstlight> umount c"));
  screen.press("Tab");
  screen.press("C-c");
  CHECK(screen.shows("^C\nfirstlight>"));
  screen.enter("help trace off");
  CHECK(screen.shows("Record no starts from now on."));
}

TEST_CASE("the console's next line is as wide as the terminal is by then") {
  if (!cluster::possible()) return;
  cluster all;
  terminal screen(all, command_for_terminal(all, "console"));
  REQUIRE(screen.shows("firstlight>"));
  screen.resize(40, 20);
  screen.enter("log-level info");
  REQUIRE(eventually([&] {
    const auto shown = screen.screen();
    const auto end = shown.find_last_not_of(" \n") + 1;
    return shown.find("log level info") != std::string::npos && shown.substr(0, end).ends_with("firstlight>");
  }));
  screen.type(std::string(60, 'x'));
  screen.press("C-a");
  screen.type("y");
  CHECK(screen.shows("firstlight> yxxx"));
  screen.press("C-u");
}

TEST_CASE("a line with a quote that has no end comes back by a key, to be corrected") {
  if (!cluster::possible()) return;
  cluster all;
  terminal screen(all, command_for_terminal(all, "console"));
  REQUIRE(screen.shows("firstlight>"));
  screen.enter("log-level 'info");
  REQUIRE(screen.shows("has no end"));
  screen.press("Up");
  screen.enter("'");
  CHECK(screen.shows("log level info"));
}

TEST_CASE("help of one command is shown in the console, also of one that would start a program") {
  if (!cluster::possible()) return;
  cluster all;
  terminal screen(all, command_for_terminal(all, "console"));
  REQUIRE(screen.shows("firstlight>"));
  screen.enter("help trace off");
  CHECK(screen.shows("Record no starts from now on."));
  screen.enter("help run");
  CHECK(screen.shows("firstlight run"));
}

}  // namespace firstlight
