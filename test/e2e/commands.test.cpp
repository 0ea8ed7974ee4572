#include <csignal>

#include "test/e2e/shell_image.hpp"

namespace firstlight {

TEST_CASE("the first pull of an image that the hub does not know brings it, and the lists show it") {
  if (!cluster::possible()) return;
  cluster all({.hub = {"access.check=never"}});
  const auto image = make_streamed_image(all.folder() / "image", {.files = 6, .file_bytes = 64U << 10U});
  const auto name = "oci:" + image.layout.string() + ":latest";
  const auto pulled = all.on_node({"pull", name});
  check_good(pulled);
  CHECK(pulled.reply["image"]["complete"] == true);
  CHECK(pulled.reply["image"]["reference"] == name);
  const auto at_node = all.on_node({"ls"});
  check_good(at_node);
  REQUIRE(at_node.reply["images"].size() == 1);
  CHECK(at_node.reply["images"][0]["reference"] == name);
  const auto at_hub = all.on_hub({"image", "ls"});
  check_good(at_hub);
  REQUIRE(at_hub.reply["images"].size() == 1);
  const auto shown = all.on_hub({"image", "show", name});
  check_good(shown);
  CHECK(shown.reply["image"]["reference"] == name);
  REQUIRE(shown.reply["layers"].size() == 1);
  CHECK(shown.reply["layers"][0]["digest"].get<std::string>().size() == 64);
  CHECK(shown.reply["layers"][0]["bytes"] == shown.reply["image"]["compressed_bytes"]);
  auto table = all.start({"image", "show", name});
  REQUIRE(table->wait(std::chrono::minutes(1)) == program_end{0, 0});
  CHECK(table->output().find("sha256:" + shown.reply["layers"][0]["digest"].get<std::string>()) !=
        std::string::npos);
  const auto unknown = all.on_hub({"image", "show", "no.example/such:1"});
  CHECK(unknown.exit_code != 0);
  CHECK(std::count(unknown.errors.begin(), unknown.errors.end(), '\n') == 1);
  check_good(all.on_hub({"image", "rm", name}));
  CHECK(all.on_hub({"image", "ls"}).reply["images"].empty());
}

TEST_CASE("a bundle file takes an image to a node without its hub") {
  if (!cluster::possible()) return;
  cluster all;
  const auto image = make_streamed_image(all.folder() / "image", {.files = 6, .file_bytes = 64U << 10U});
  all.add(image.layout, "app:1");
  const auto file = (all.folder() / "app.bundle").string();
  check_good(all.on_hub({"bundle", "save", file, "app:1"}));
  CHECK(all.on_hub({"bundle", "save", file, "app:1"}).exit_code != 0);  // it exists
  all.kill_hub();
  check_good(all.on_node({"bundle", "load", file}));
  CHECK(hashes_of(all, all.mount("app:1", "loaded")) == hashes_of(all, image.tree));
  CHECK(all.bytes_received() == 0);
}

TEST_CASE("who watches a daemon ends once nobody reads what it shows") {
  if (!cluster::possible()) return;
  cluster all;
  const auto top =
      cluster::program() + " top --interval 50ms --socket " + (all.folder() / "node.sock").string();
  auto watcher = all.run({"bash", "-c", top + " | head -n 1; exit ${PIPESTATUS[0]}"});
  CHECK(watcher->wait(std::chrono::seconds(20)) == program_end{0, 0});
  CHECK(watcher->errors().empty());
}

TEST_CASE("what is interrupted while its image does not arrive leaves nothing") {
  if (!cluster::possible()) return;
  const std::string command = GENERATE("mount", "run");
  const int signal = GENERATE(SIGTERM, SIGINT, SIGKILL);
  CAPTURE(command, signal);
  cluster all;
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 1}).layout, "streamed:1");
  all.link().stop();
  auto program = all.start({command, "--name", "app", "streamed:1"});
  const auto target = all.folder() / "run" / "mounts" / "app";
  REQUIRE(eventually([&] { return std::filesystem::exists(target); }));
  program->signal(signal);
  const auto end = program->wait(std::chrono::seconds(30));
  REQUIRE(end);
  CHECK(end ==
        (command == "run" && signal != SIGKILL ? program_end{128 + signal, 0} : program_end{-1, signal}));
  CHECK(eventually([&] { return !std::filesystem::exists(target); }));
  CHECK(all.on_node({"layer", "ls"}).reply["layers"].empty());
  all.link().resume();
  REQUIRE(all.on_node({"mount", "--name", "app", "streamed:1"}).exit_code == 0);
}

TEST_CASE("a mount whose image does not arrive can be taken down") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 1}).layout, "streamed:1");
  all.link().stop();
  const auto target = all.folder() / "mounts" / "app";
  auto mounting = all.start({"mount", "streamed:1", target.string(), "--name", "app"});
  REQUIRE(eventually([&] { return std::filesystem::exists(target); }));
  const auto by = GENERATE(std::string("app"), std::string("target"));
  REQUIRE(all.on_node({"umount", by == "app" ? by : target.string()}).exit_code == 0);
  const auto end = mounting->wait(std::chrono::seconds(30));
  REQUIRE(end);
  CHECK(end->exit_code > 0);
  CHECK(mounting->errors().find("taken down") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(target));
  CHECK(all.on_node({"layer", "ls"}).reply["layers"].empty());
  all.link().resume();
  all.mount("streamed:1", "app", mount_kind::writable);
  CHECK(std::filesystem::exists(target / "data" / "f100"));
}

TEST_CASE("umount does not wait for a copy of the mount in another mount namespace") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 1}).layout, "streamed:1");
  all.mount("streamed:1", "app", mount_kind::writable);
  const auto script = std::string("echo ready; exec sleep 600");
  auto holder = std::make_unique<running_program>(
      std::vector<std::string>{"unshare", "--mount", "--propagation", "private", "sh", "-c", script},
      all.folder() / "holder");
  REQUIRE(eventually([&] { return holder->output() == "ready\n"; }));
  auto taking_down = all.start({"umount", "app"});
  CHECK(taking_down->wait(std::chrono::seconds(30)) == program_end{0, 0});
  CHECK(std::filesystem::is_empty(all.folder() / "mounts" / "app"));
  CHECK(all.on_node({"ls"}).reply["mounts"].size() == 1);  // somebody has it still
  holder.reset();
  CHECK(eventually([&] { return all.on_node({"ls"}).reply["mounts"].empty(); }));
}

}  // namespace firstlight
