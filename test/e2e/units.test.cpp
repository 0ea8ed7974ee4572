#include "test/e2e/learned.hpp"
#include "test/e2e/shell_image.hpp"
#include "test/e2e/slow_image.hpp"
#include "test/harness/cluster/containerd.hpp"

/// Both daemons with no more rights than systemd leaves them.
namespace firstlight {
namespace {

/// A program that has a copy of all mounts.
std::unique_ptr<running_program> hold_mounts(cluster& all) {
  auto holder =
      all.run({"unshare", "--mount", "--propagation", "private", "sh", "-c", "echo ready; exec sleep 600"});
  REQUIRE(eventually([&] { return holder->output() == "ready\n"; }));
  return holder;
}

}  // namespace

TEST_CASE("daemons with the rights of their units deliver, mount, record and take over, in each mode") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}, .as_units = true});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 6, .file_bytes = 256U << 10U});
  all.add(image.layout, "streamed:1");
  const auto root = all.mount("streamed:1", "app", mount_kind::writable);
  CHECK(all.node_status()["mounts"][0]["mode"] == mode);
  CHECK(hashes_of(all, root) == hashes_of(all, image.tree));
  check_complete(all, "streamed:1");
  check_good(all.on_node({"umount", "app"}));
  await_learned(all, "streamed:1", 1);

  all.mount("streamed:1", "app", mount_kind::writable);
  std::ofstream(root / "data" / "f100") << "changed";
  all.kill_node();
  all.start_node();
  all.await_joined();
  CHECK(text_of(root / "data" / "f100") == "changed");
  std::filesystem::rename(root / "data" / "f101", root / "moved");
  check_good(all.on_node({"umount", "app"}));
  CHECK(all.stop_node());
  CHECK(all.stop_hub());
}

TEST_CASE("a node with the rights of its unit sees who else has its mounts") {
  if (!cluster::possible()) return;
  cluster all({.as_units = true});
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 1}).layout, "streamed:1");
  all.mount("streamed:1", "app", mount_kind::writable);
  auto holder = hold_mounts(all);
  check_good(all.on_node({"umount", "app"}));
  CHECK(all.on_node({"ls"}).reply["mounts"].size() == 1);  // somebody has it still
  holder.reset();
  CHECK(eventually([&] { return all.on_node({"ls"}).reply["mounts"].empty(); }));
}

TEST_CASE("a node with the rights of its unit serves containerd") {
  if (!cluster::possible()) return;
  cluster all({.as_units = true});
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "one", idle));
  check_good(engine.exec("one", shell("echo one >/etc/passwd; rm /data/f1; chmod 4700 /data/f2")));
  all.restart_node({});
  CHECK(engine.exec("one", shell("cat /etc/passwd; ls /data | wc -l")).output == "one\n7\n");
  engine.remove("one");
  check_good(engine.ctr({"images", "rm", "--sync", image}));
  CHECK(engine.snapshots().empty());
}

}  // namespace firstlight
