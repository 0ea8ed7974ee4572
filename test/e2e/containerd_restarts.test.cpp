#include <set>
#include <sstream>

#include "test/e2e/slow_image.hpp"

/// What a running container and containerd see of restarts around them.
namespace firstlight {
namespace {

/// The program of a container that reads all from its start on, and keeps what came of it.
const auto hash_and_stay =
    shell("cat /data/* >/tmp/all && sha256sum </tmp/all >/tmp/sum; exec sleep 1000000");

/// Containerd dials a node again some seconds after it had none.
void await_reached(containerd_daemon& engine) {
  REQUIRE(eventually([&] {
    return engine.ctr({"snapshots", "--snapshotter", "firstlight", "ls"}).exit_code == 0;
  }));
}

}  // namespace

TEST_CASE("a container runs while its image arrives, through restarts of everything around it") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  engine.stop_registry();  // nothing is asked of it
  all.link().rate(400'000);
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "one", idle));
  check_good(engine.run_detached(image, "reader", hash_and_stay));
  CHECK(engine.exec("one", shell("echo started")).output == "started\n");
  CHECK(all.node_status()["mounts"][0]["mode"] == mode);
  CHECK(all.node_status()["mounts"][0]["complete"] == false);
  const auto before = engine.snapshots();
  CHECK(before.size() == 4);

  check_good(engine.exec("one", shell("echo mine >/etc/passwd")));
  check_good(engine.exec("one", shell("cat /etc/passwd")));  // all that it reads is in memory now
  REQUIRE(all.stop_node());
  if (mode == "hybrid") {  // in the other modes to open a file waits for a node
    const auto without_node = engine.exec("one", shell("cat /etc/passwd"));
    check_good(without_node);
    CHECK(without_node.output == "mine\n");
  }
  all.start_node();
  await_reached(engine);
  CHECK(engine.snapshots() == before);
  engine.restart();
  CHECK(engine.exec("one", shell("cat /etc/passwd")).output == "mine\n");
  all.kill_node();
  engine.kill();
  all.start_node();
  engine.start();
  CHECK(engine.snapshots() == before);
  all.kill_hub();
  all.start_hub();
  all.link().rate(0);

  const auto hashed = engine.exec("one", hash_data);
  check_good(hashed);
  const auto second = engine.run(image, "two", hash_data);
  check_good(second);
  CHECK(hashed.output == second.output);
  auto expected = all.run({"sh", "-c",
                           "cd '" + all.folder().string() +
                               "' && mkdir bundle && umoci raw unpack --image layout:latest bundle && "
                               "cat bundle/data/* | sha256sum"});
  REQUIRE(expected->wait(std::chrono::minutes(1)) == program_end{0, 0});
  CHECK(hashed.output == expected->output());
  // It has waited through all of that.
  REQUIRE(eventually([&] { return engine.exec("reader", shell("cat /tmp/sum")).output == hashed.output; }));

  for (const auto* container : {"one", "reader"}) engine.remove(container);
  check_good(engine.ctr({"images", "rm", "--sync", image}));
  CHECK(engine.snapshots().empty());
  CHECK(eventually([&] { return all.node_status()["store_bytes"] == 0; }));
  CHECK(eventually([&] { return all.mounts().empty(); }));
}

TEST_CASE("snapshots and running containers outlive restarts of node and containerd in any order") {
  if (!cluster::possible()) return;
  using step = void (*)(cluster&, containerd_daemon&);
  const step node_stops = [](cluster& all, containerd_daemon&) { REQUIRE(all.stop_node()); };
  const step node_dies = [](cluster& all, containerd_daemon&) { all.kill_node(); };
  const step node_starts = [](cluster& all, containerd_daemon&) { all.start_node(); };
  const step engine_stops = [](cluster&, containerd_daemon& engine) { engine.stop(); };
  const step engine_dies = [](cluster&, containerd_daemon& engine) { engine.kill(); };
  const step engine_starts = [](cluster&, containerd_daemon& engine) { engine.start(); };
  const struct {
    std::string name;
    std::vector<step> steps;
  } orders[] = {
      {"one after the other", {node_stops, node_starts, engine_stops, engine_starts}},
      {"containerd while there is no node", {node_stops, engine_stops, engine_starts, node_starts}},
      {"the node while there is no containerd", {engine_stops, node_stops, node_starts, engine_starts}},
      {"containerd goes and comes first", {engine_stops, node_stops, engine_starts, node_starts}},
      {"the node goes and comes first", {node_stops, engine_stops, node_starts, engine_starts}},
      {"the node dies, containerd stops", {node_dies, engine_stops, engine_starts, node_starts}},
      {"containerd dies, the node stops", {engine_dies, node_stops, node_starts, engine_starts}},
  };

  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "one", idle));
  check_good(engine.exec("one", shell("echo mine >/mine")));
  all.add(make_slow_image(all.folder() / "other", 100), "other:1");
  const std::string other = "docker.io/library/other:1";
  check_good(engine.pull(other));
  check_good(engine.run_detached(other, "other", idle));
  const auto tasks = [&engine] {  // with their processes
    std::istringstream lines(engine.ctr({"tasks", "ls"}).output);
    std::set<std::string> found;
    for (std::string line; std::getline(lines, line);) found.insert(line);
    return found;
  };
  const auto started = tasks();
  CHECK(started.size() == 3);  // the first is a heading
  const auto hashed = engine.exec("one", hash_data).output;
  const auto before = engine.snapshots();
  for (const auto& order : orders) {
    CAPTURE(order.name);
    for (const auto& next : order.steps) next(all, engine);
    await_reached(engine);
    CHECK(engine.snapshots() == before);
    CHECK(tasks() == started);
    CHECK(engine.exec("one", shell("cat /mine")).output == "mine\n");
    CHECK(engine.exec("one", hash_data).output == hashed);
    check_good(engine.run(image, "two", shell("cat /data/f0 >/dev/null")));
    check_good(engine.run(other, "three", shell("cat /data/f0 >/dev/null")));
    CHECK(all.node_status()["mounts"].size() == 2);  // those that were there
  }
  for (const auto* container : {"one", "other"}) engine.remove(container);
  for (const auto& each : {image, other}) check_good(engine.ctr({"images", "rm", "--sync", each}));
  CHECK(engine.snapshots().empty());
  CHECK(eventually([&] { return all.mounts().empty(); }));
}

TEST_CASE("without a hub node and containerd come back with their snapshots, and a complete image runs") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_complete(all, "app:1");
  const auto layers = engine.snapshots();
  CHECK(layers.size() == 2);

  all.kill_hub();
  engine.stop();
  REQUIRE(all.stop_node());
  all.start_node();
  engine.start();
  await_reached(engine);
  CHECK(all.node_status()["link"]["state"] != "up");
  CHECK(all.node_status()["mounts"].empty());  // so the image is mounted anew
  CHECK(engine.snapshots() == layers);
  const auto one = engine.run(image, "one", hash_data);
  check_good(one);
  CHECK(one.output == hash_of_data());

  // The same where a container runs, and nobody ends in order.
  check_good(engine.run_detached(image, "two", idle));
  check_good(engine.exec("two", shell("echo mine >/etc/passwd")));
  const auto with_container = engine.snapshots();
  all.kill_node();
  engine.kill();
  all.start_node();
  engine.start();
  await_reached(engine);
  CHECK(engine.snapshots() == with_container);
  CHECK(engine.exec("two", shell("cat /etc/passwd")).output == "mine\n");
  CHECK(engine.exec("two", hash_data).output == hash_of_data());
  const auto three = engine.run(image, "three", shell("cat /etc/passwd"));
  check_good(three);
  CHECK(three.output == "root:x:0:0:root:/root:/bin/sh\n");
}

TEST_CASE("what a container wrote in one mount mode is right in another, and can be written to there") {
  if (!cluster::possible()) return;
  const auto [first, then] = GENERATE(table<std::string, std::string>(
      {{"hybrid", "overlay"}, {"hybrid", "fuse"}, {"overlay", "hybrid"}, {"fuse", "hybrid"}}));
  CAPTURE(first, then);
  cluster all({.node = {"mount_mode=" + first}});
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "one", idle));
  check_good(engine.exec("one", shell("chmod 600 /data/f0; mv /data /moved; mv /moved/f1 /f1; "
                                      "mv /etc/debian_version /etc/other; echo mine >/etc/passwd")));
  const auto look = shell(
      "cat /moved/f0 /f1 /moved/f[2-7] | sha256sum; busybox find /moved /etc -type f | busybox sort; "
      "cat /etc/*; busybox stat -c '%a %s' /moved/f0");
  const auto written = engine.exec("one", look).output;
  CHECK(written.starts_with(hash_of_data()));
  CHECK(written.ends_with("\n12\nmine\n600 1048576\n"));

  engine.end("one");
  all.restart_node({"mount_mode=" + then});
  all.power_off_node();  // a mount that is there stays as it is
  all.start_node();
  await_reached(engine);
  check_good(engine.start_again("one"));
  CHECK(all.node_status()["mounts"][0]["mode"] == then);
  CHECK(engine.exec("one", look).output == written);
  check_good(engine.exec("one", shell("echo more >>/moved/f0; mv /moved /again; chmod 640 /again/f3")));
  const auto more = engine.exec("one", shell("cat /again/f0 | wc -c; busybox stat -c %a /again/f3"));
  CHECK(more.output == "1048581\n640\n");
  engine.remove("one");
}

TEST_CASE("containers wait while the node is restarted also where the kernel does not repeat requests") {
  if (!cluster::possible()) return;
  cluster all({.node = {"mount_mode=overlay", "fuse.resend=false", "fuse.passthrough=false"}});
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  engine.stop_registry();
  all.link().rate(400'000);
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "reader", hash_and_stay));
  CHECK(engine.exec("reader", shell("echo started")).output == "started\n");
  CHECK(all.node_status()["mounts"][0]["complete"] == false);
  REQUIRE(all.stop_node());
  all.start_node();
  await_reached(engine);
  all.link().rate(0);
  const auto whole = engine.run(image, "two", hash_data);
  check_good(whole);
  REQUIRE(eventually([&] { return engine.exec("reader", shell("cat /tmp/sum")).output == whole.output; }));
  engine.remove("reader");
}

}  // namespace firstlight
