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

namespace {

/// Says so in the test's output if runc cannot work on this machine, whatever is run by it.
bool runc_is_hindered(const std::string& errors) {
  const bool no_cgroups = errors.find("cgroup") != std::string::npos;
  const bool root_is_no_mount = errors.find("error preparing rootfs: mount /, flags") != std::string::npos;
  if (no_cgroups) WARN("SKIPPED: runc cannot make cgroups here: " + errors);
  if (root_is_no_mount)
    WARN("SKIPPED: runc needs a root that is a mount point, not a plain chroot: " + errors);
  return no_cgroups || root_is_no_mount;
}

}  // namespace

TEST_CASE("a program of an image runs through runc as the image and the options say, and leaves nothing") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_shell_image(all.folder() / "shell"), "shell:1");
  const auto script = "echo $GREETING from $(busybox id -u) in $(pwd); echo written > /tmp/file; exit 7";
  auto program = all.start({"run", "--no-tty", "-e", "GREETING=hello", "-u", "guest", "-w", "/tmp", "shell:1",
                            "/bin/sh", "-c", script});
  const auto end = program->wait(std::chrono::minutes(2));
  INFO(program->errors());
  if (runc_is_hindered(program->errors())) return;
  REQUIRE(end == program_end{7, 0});
  CHECK(program->output() == "hello from 1234 in /tmp\n");
  CHECK(all.on_node({"ls"}).reply["mounts"].empty());
  CHECK(all.mounts().empty());
}

TEST_CASE("a program runs as its image's own configuration says, and --json tells of its mount beside it") {
  if (!cluster::possible()) return;
  cluster all;
  const auto settings = R"json({"Entrypoint":["/bin/sh","-c"],"User":"guest","WorkingDir":"/tmp",
    "Cmd":["echo $WORD from $(busybox id -u) in $(pwd)"],"Env":["PATH=/bin","WORD=own"]})json";
  all.add(make_shell_image(all.folder() / "shell", settings), "shell:1");
  auto program = all.start({"run", "--no-tty", "--json", "shell:1"});
  const auto end = program->wait(std::chrono::minutes(2));
  INFO(program->errors());
  if (runc_is_hindered(program->errors())) return;
  REQUIRE(end == program_end{0, 0});
  CHECK(program->output() == "own from 1234 in /tmp\n");
  const auto line = nlohmann::json::parse(program->errors().substr(0, program->errors().find('\n')));
  CHECK(line["mount"]["reference"] == "docker.io/library/shell:1");
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

TEST_CASE("a program that runs gets the signals of firstlight run, and nothing is left at its end") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_shell_image(all.folder() / "shell"), "shell:1");
  const auto script = "trap 'exit 9' TERM; echo ready; while :; do busybox sleep 1; done";
  auto program = all.start({"run", "--no-tty", "shell:1", "/bin/sh", "-c", script});
  REQUIRE(eventually([&] { return program->output() == "ready\n" || !program->errors().empty(); }));
  if (runc_is_hindered(program->errors())) return;
  program->signal(SIGTERM);
  CHECK(program->wait(std::chrono::minutes(1)) == program_end{9, 0});
  // It is listed until the kernel has taken the container's own view of it apart.
  CHECK(eventually([&] { return all.on_node({"ls"}).reply["mounts"].empty(); }));
  CHECK(all.mounts().empty());
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
