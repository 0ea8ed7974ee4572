#include "test/e2e/learned.hpp"
#include "test/e2e/slow_image.hpp"

/// Starts in containerd's containers teach the cluster.
namespace firstlight {
namespace {

const std::string image = "docker.io/library/app:1";

cluster_options with(std::vector<std::string> settings) {
  settings.push_back("recording.settle_time=2s");
  settings.push_back("recording.check_interval=50ms");
  return {.node = std::move(settings)};
}

std::string any_mode() {
  return GENERATE(as<std::string>(), "mount_mode=hybrid", "mount_mode=overlay", "mount_mode=fuse");
}

int starts_recorded(cluster& all) {
  const auto seen = traced(all, "app");
  return seen.is_null() ? 0 : seen["traces"].get<int>();
}

}  // namespace

TEST_CASE("each container that starts above an image teaches, also when the image is mounted and complete") {
  if (!cluster::possible()) return;
  const auto mode = any_mode();
  CAPTURE(mode);
  cluster all(with({mode}));
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  check_good(engine.pull(image));
  check_good(all.on_node({"wait", "app:1"}));
  check_good(engine.run_detached(image, "one", shell("cat /data/f7 >/dev/null; exec sleep 1000000")));
  await_learned(all, "app", 1);
  const auto first = expected_files(all, "app:1");
  CHECK(first.contains("bin/busybox"));
  CHECK(first.contains("data/f7"));
  CHECK_FALSE(first.contains("data/f3"));

  // What the running one opens meanwhile belongs to no start.
  check_good(engine.exec("one", shell("cat /data/f5 >/dev/null")));
  check_good(engine.run(image, "two", shell("cat /data/f3 >/dev/null")));
  await_learned(all, "app", 2);
  const auto both = expected_files(all, "app:1");
  CHECK(both.contains("data/f3"));
  CHECK_FALSE(both.contains("data/f5"));
  CHECK(all.node_status()["mounts"].size() == 1);
}

TEST_CASE("after a restart of the node containers above an image that stayed mounted teach too") {
  if (!cluster::possible()) return;
  cluster all(with({"mount_mode=hybrid"}));
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "one", idle));
  await_learned(all, "app", 1);
  REQUIRE(all.stop_node());
  all.start_node();
  all.await_joined();
  check_good(engine.run(image, "two", shell("cat /data/f3 >/dev/null")));
  await_learned(all, "app", 2);
  CHECK(expected_files(all, "app:1").contains("data/f3"));
}

TEST_CASE("of containers only as many starts are recorded as the node's settings say") {
  if (!cluster::possible()) return;
  cluster all(with({"recording.mode=first", "recording.starts=2"}));
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "keeps-the-mount", idle));
  await_learned(all, "app", 1);
  check_good(engine.run(image, "second", shell("cat /data/f1 >/dev/null")));
  await_learned(all, "app", 2);
  check_good(engine.run(image, "third", shell("cat /data/f2 >/dev/null")));
  check_good(all.on_node({"trace", "on"}));  // now all of them
  check_good(engine.run(image, "fourth", shell("cat /data/f3 >/dev/null")));
  await_learned(all, "app", 3);
  CHECK(starts_recorded(all) == 3);
}

TEST_CASE("containers whose snapshots name a group form one joint trace") {
  if (!cluster::possible()) return;
  cluster all(with({any_mode()}));
  containerd_daemon engine(all);
  std::uint64_t seed = 0;  // equal images would share their traces
  for (const std::string name : {"shop", "side", "lone"}) {
    all.add(make_slow_image(all.folder() / name, seed += 100), name + ":1");
    check_good(engine.pull("docker.io/library/" + name + ":1"));
    const std::vector<std::string> label{"--snapshotter-label",
                                         "containerd.io/snapshot/firstlight.group=web"};
    check_good(engine.run("docker.io/library/" + name + ":1", name, shell("cat /data/f7 >/dev/null"),
                          name == "lone" ? std::vector<std::string>{} : label));
    // Not that an order is learned: the images are relatives, and take each other's traces.
    REQUIRE(eventually([&] {
      const auto seen = traced(all, name);
      return !seen.is_null() && seen["traces"] == 1;
    }));
  }
  const auto collection =
      nlohmann::json::parse(all.on_hub({"trace", "export"}).reply["collection"].get<std::string>());
  std::multiset<std::size_t> images;
  for (const auto& group : collection["Groups"]) images.insert(group["i"].size());
  CHECK(images == std::multiset<std::size_t>{1, 2});
}

}  // namespace firstlight
