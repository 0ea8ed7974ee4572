#include <algorithm>
#include <csignal>

#include "test/e2e/shell_image.hpp"
#include "test/harness/cluster/runc.hpp"

/// What `firstlight run` leaves to runc.
namespace firstlight {

TEST_CASE("a program of an image runs through runc as the image and the options say, and leaves nothing") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_shell_image(all.folder() / "shell"), "shell:1");
  const auto script = "echo $GREETING from $(busybox id -u) in $(pwd); echo written > /tmp/file; exit 7";
  auto program = all.start({"run", "--no-tty", "-e", "GREETING=hello", "-u", "guest", "-w", "/tmp", "shell:1",
                            "/bin/sh", "-c", script});
  const auto end = program->wait(std::chrono::minutes(2));
  INFO(program->errors());
  if (runc_is_hindered(all, *program)) return;
  REQUIRE(end == program_end{7, 0});
  CHECK(program->output() == "hello from 1234 in /tmp\n");
  // It is listed until the kernel has taken the container's own view of it apart.
  CHECK(eventually([&] { return all.on_node({"ls"}).reply["mounts"].empty(); }));
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
  if (runc_is_hindered(all, *program)) return;
  REQUIRE(end == program_end{0, 0});
  CHECK(program->output() == "own from 1234 in /tmp\n");
  const auto line = nlohmann::json::parse(program->errors().substr(0, program->errors().find('\n')));
  CHECK(line["mount"]["reference"] == "docker.io/library/shell:1");
}

TEST_CASE("a program that runs gets the signals of firstlight run, and nothing is left at its end") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_shell_image(all.folder() / "shell"), "shell:1");
  const auto script = "trap 'exit 9' TERM; echo ready; while :; do busybox sleep 1; done";
  auto program = all.start({"run", "--no-tty", "shell:1", "/bin/sh", "-c", script});
  REQUIRE(eventually([&] { return program->output() == "ready\n" || !program->errors().empty(); }));
  if (runc_is_hindered(all, *program)) return;
  program->signal(SIGTERM);
  CHECK(program->wait(std::chrono::minutes(1)) == program_end{9, 0});
  // It is listed until the kernel has taken the container's own view of it apart.
  CHECK(eventually([&] { return all.on_node({"ls"}).reply["mounts"].empty(); }));
  CHECK(all.mounts().empty());
}

TEST_CASE("a program that cannot be started leaves no mount, and one line says why") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_shell_image(all.folder() / "shell"), "shell:1");
  const auto with = [&](const std::string& folder, const std::string& argument) {
    return all.run({"env", "TMPDIR=" + folder,
                    "FIRSTLIGHT_NODE_SOCKET=" + (all.folder() / "node.sock").string(), cluster::program(),
                    "run", "--no-tty", "shell:1", "/bin/sh", argument});
  };
  for (const auto& [folder, argument] : {std::pair("/nowhere", "x"), std::pair("/tmp", "\xff")}) {
    auto program = with(folder, argument);
    CHECK(program->wait(std::chrono::minutes(2)) == program_end{125, 0});
    const auto said = program->errors();
    INFO(said);
    CHECK(said.starts_with("firstlight run: "));
    CHECK(std::count(said.begin(), said.end(), '\n') == 1);
    CHECK(eventually([&] { return all.on_node({"ls"}).reply["mounts"].empty(); }));
  }
}

}  // namespace firstlight
