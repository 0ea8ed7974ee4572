#include <fstream>

#include "test/e2e/slow_image.hpp"

/// What is left when the power of a node's machine has gone and come back: no process, no mount, nothing of
/// what lies in memory.
namespace firstlight {
namespace {

constexpr std::uint64_t data_bytes = 8U << 20U;  // of a slow image

/// The program of a container that reads all from its start on, and keeps what came of it.
const auto hash_and_stay =
    shell("rm -f /tmp/sum; cat /data/* >/tmp/all && sha256sum </tmp/all >/tmp/sum; exec sleep 1000000");

void check_nothing_left(cluster& all, containerd_daemon& engine, const std::string& image) {
  for (const auto* container : {"one", "reader"}) engine.remove(container);
  check_good(engine.ctr({"images", "rm", "--sync", image}));
  CHECK(engine.snapshots().empty());
  CHECK(eventually([&] { return all.node_status()["store_bytes"] == 0; }));
  CHECK(eventually([&] { return all.mounts().empty(); }));
  CHECK(eventually([&] { return std::filesystem::is_empty(all.node_store() / "snapshots"); }));
}

}  // namespace

TEST_CASE("after a reboot the snapshots are as before, and containers start again with what they wrote") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  const bool arriving = GENERATE(false, true);
  CAPTURE(mode, arriving);
  cluster all({.node = {"mount_mode=" + mode, "checkpoint_interval=100ms"}});
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  engine.stop_registry();  // nothing is asked of it
  if (arriving) all.link().rate(400'000);
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "one", idle));
  check_good(engine.run_detached(image, "reader", hash_and_stay));
  // The last copies no contents, in no mode.
  check_good(engine.exec("one", shell("echo mine >/etc/passwd; rm /etc/debian_version; chmod 600 /data/f0")));
  if (arriving) {
    REQUIRE(eventually([&] { return all.node_status()["mounts"][0]["bytes_ready"] > data_bytes / 2; }));
    all.link().stop();
    REQUIRE(all.node_status()["mounts"][0]["complete"] == false);
  } else {
    check_complete(all, "app:1");
  }
  const auto before = engine.snapshots();
  CHECK(before.size() == 4);

  engine.power_off();
  CHECK(all.all_mounts().empty());
  all.start_node();
  engine.start();
  REQUIRE(eventually([&] {
    return engine.ctr({"snapshots", "--snapshotter", "firstlight", "ls"}).exit_code == 0;
  }));
  CHECK(engine.snapshots() == before);
  const auto booted = all.node_status();
  CHECK(booted["mounts"].empty());
  CHECK(booted["images_complete"] == (arriving ? 0 : 1));

  all.link().rate(0);
  all.link().resume();
  all.await_joined();
  for (const auto* container : {"one", "reader"}) check_good(engine.start_again(container));
  const auto kept = engine.exec("one", shell("cat /etc/passwd; busybox stat -c %a /data/f0; ls /etc"));
  check_good(kept);
  CHECK(kept.output == "mine\n600\npasswd\n");
  CHECK(engine.exec("one", hash_data).output == hash_of_data());
  CHECK(eventually([&] { return engine.exec("reader", shell("cat /tmp/sum")).output == hash_of_data(); }));
  const auto other = engine.run(image, "two", shell("cat /etc/passwd /etc/debian_version"));
  check_good(other);
  CHECK(other.output == "root:x:0:0:root:/root:/bin/sh\n12\n");
  CHECK(all.node_status()["mounts"].size() == 1);
  check_complete(all, "app:1");
  // What had arrived is not sent again.
  if (arriving)
    CHECK(all.bytes_received() < data_bytes);
  else
    CHECK(all.bytes_received() == 0);
  check_nothing_left(all, engine, image);
}

TEST_CASE("after a reboot no mount is believed to be there, and one of the same name has what was written") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  const bool run_folder_on_disk = GENERATE(false, true);
  CAPTURE(mode, run_folder_on_disk);
  cluster all({.node = {"mount_mode=" + mode}});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 4});
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed", mount_kind::writable);
  const auto unnamed = all.on_node({"mount", "streamed:1"});
  check_good(unnamed);
  check_complete(all, "streamed:1");
  const std::filesystem::path other = unnamed.reply["mount"]["target"];
  for (const auto& mount : {target, other}) std::ofstream(mount / "data" / "new") << "written";

  all.power_off_node();
  if (!run_folder_on_disk) std::filesystem::remove_all(all.folder() / "run");
  all.start_node();
  CHECK(all.node_status()["mounts"].empty());
  CHECK(all.mounts().empty());
  const auto layers = all.on_node({"layer", "ls"}).reply["layers"];
  REQUIRE(layers.size() == 1);  // what was written without a name is gone with its mount
  CHECK(layers[0]["references"] == 0);

  CHECK(all.mount("streamed:1", "streamed", mount_kind::writable) == target);
  CHECK(text_of(target / "data" / "new") == "written");
  std::filesystem::remove(target / "data" / "new");
  CHECK(hashes_of(all, target) == hashes_of(all, image.tree));
  check_good(all.on_node({"umount", "streamed"}));
  CHECK(all.stop_node());
  CHECK(all.all_mounts().empty());
}

}  // namespace firstlight
