#include "test/e2e/terminal.hpp"

namespace firstlight {

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

}  // namespace firstlight
