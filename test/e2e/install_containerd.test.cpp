#include "test/e2e/shell_image.hpp"
#include "test/harness/cluster/containerd.hpp"

/// `firstlight install containerd` against a real containerd.
namespace firstlight {
namespace {

namespace fs = std::filesystem;

command_end install(cluster& all, std::vector<std::string> options) {
  options.insert(options.begin(),
                 {"install", "containerd", "--config", (all.folder() / "containerd.toml").string(),
                  "--socket", (all.folder() / "sn.sock").string(), "--node-config", "/dev/null"});
  return all.on_node(options);
}

/// "ok", "error", or empty if containerd has no such plugin.
std::string plugin_status(containerd_daemon& engine, const std::string& type, const std::string& id) {
  std::istringstream lines(engine.ctr({"plugins", "ls"}).output);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string its_type;
    std::string its_id;
    std::string platforms;
    std::string status;
    words >> its_type >> its_id >> platforms >> status;
    if (its_type == type && its_id == id) return status;
  }
  return {};
}

std::string snapshotter_status(containerd_daemon& engine) {
  return plugin_status(engine, "io.containerd.snapshotter.v1", "firstlight");
}

void check_written(const command_end& end) {
  INFO(end.errors);
  REQUIRE(end.exit_code == 0);
  CHECK(end.reply["written"] == true);
}

}  // namespace

TEST_CASE("containerd has the snapshotter after an installation, runs an image by it, and loses it again") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  const auto config = all.folder() / "containerd.toml";
  check_written(install(all, {"--remove", "--write"}));  // the section that the test wrote by hand
  engine.restart();
  CHECK(snapshotter_status(engine).empty());
  const auto without = text_of(config);

  CHECK(install(all, {}).reply["written"] == false);
  CHECK(text_of(config) == without);
  check_written(install(all, {"--write"}));
  CHECK(install(all, {"--write"}).reply["changed"] == false);
  engine.restart();
  CHECK(snapshotter_status(engine) == "ok");

  all.add(make_shell_image(all.folder() / "layout"), "app:1");
  const auto pulled = engine.pull("docker.io/library/app:1");
  INFO(pulled.errors);
  REQUIRE(pulled.exit_code == 0);
  const auto ran = engine.run("docker.io/library/app:1", "one", {"/bin/sh", "-c", "echo ran"});
  INFO(ran.errors);
  CHECK(ran.output == "ran\n");

  check_written(install(all, {"--remove", "--write"}));
  CHECK(text_of(config) == without);
  engine.restart();
  CHECK(snapshotter_status(engine).empty());
}

TEST_CASE("Kubernetes' images come through the snapshotter after an installation for the CRI plugin") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all, cri_plugin::on);
  const auto config = all.folder() / "containerd.toml";
  check_written(
      install(all, {"--remove", "--write"}));  // what the test wrote by hand, the plugin's choice too
  engine.restart();
  CHECK(plugin_status(engine, "io.containerd.grpc.v1", "cri") == "ok");
  const auto image = engine.push(make_shell_image(all.folder() / "layout"), "team/app:1");
  const auto snapshots = [&](const std::string& snapshotter) {
    const auto listed =
        engine.ctr({"--namespace", "k8s.io", "snapshots", "--snapshotter", snapshotter, "ls"});
    return std::count(listed.output.begin(), listed.output.end(), '\n') - 1;  // but for the heading
  };

  check_written(install(all, {"--cri", "--write"}));
  engine.restart();
  CHECK(plugin_status(engine, "io.containerd.grpc.v1", "cri") == "ok");
  const auto pulled = engine.cri()->pull(image);
  INFO(pulled.errors);
  REQUIRE(pulled.good);
  CHECK(snapshots("firstlight") == 1);

  auto dump = all.run({"containerd", "-c", config.string(), "config", "dump"});
  REQUIRE(dump->wait(std::chrono::minutes(1)) == program_end{0, 0});
  CHECK(dump->output().find("disable_snapshot_annotations = false") != std::string::npos);
}

}  // namespace firstlight
