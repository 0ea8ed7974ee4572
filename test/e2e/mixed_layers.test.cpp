#include "test/e2e/kubelet.hpp"

/// Images of which a real containerd has unpacked some layers and the hub delivers others.
namespace firstlight {

TEST_CASE(
    "an image on layers that containerd unpacked without a hub comes lazily, and both images are right") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  containerd_daemon engine(all, cri_plugin::on);
  push_pause(engine, all);
  write_layout(all.folder() / "below", {shell_layer()});
  const auto below = engine.push(all.folder() / "below", "team/below:1");
  const auto above = engine.push(make_slow_image(all.folder() / "layout"), "team/above:1");
  const auto kubelet = engine.cri();
  const auto pod = good(kubelet->run_pod("below"));
  const auto second = good(kubelet->run_pod("above"));

  all.kill_hub();
  good(kubelet->pull(below));
  const auto unpacked = all.node_status()["snapshots"];
  INFO(unpacked.dump());
  CHECK(unpacked["fallbacks"] == 1);
  all.start_hub();
  all.await_joined();
  good(kubelet->pull(above));
  const auto mixed = all.node_status()["snapshots"];
  INFO(mixed.dump());
  CHECK(mixed["fallbacks"] == 1);
  CHECK(mixed["remote"] == 2);  // the pod's own image, and the data

  const auto one = start_idle(*kubelet, pod, below);
  const auto two = start_idle(*kubelet, second, above);
  good(kubelet->exec(one, shell("echo below >/etc/passwd")));
  CHECK(good(kubelet->exec(two, hash_data)) == hash_of_data());
  CHECK(good(kubelet->exec(two, shell("cat /etc/passwd"))) == "root:x:0:0:root:/root:/bin/sh\n");
  CHECK(good(kubelet->exec(one, shell("cat /etc/passwd"))) == "below\n");
  CHECK_FALSE(kubelet->exec(one, shell("ls /data")).good);

  for (const auto& each : {pod, second}) good(kubelet->remove_pod(each));
  for (const auto& each : {above, below, engine.pause_image()}) good(kubelet->remove_image(each));
  CHECK(eventually([&] { return all.node_status()["snapshots"]["count"] == 0; }));
  CHECK(eventually([&] { return all.mounts().empty(); }));
}

TEST_CASE("an image that containerd unpacks on layers of a lazily pulled one is right, and so is that one") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  containerd_daemon engine(all);
  const auto lazy = engine.push(make_slow_image(all.folder() / "lazy"), "team/lazy:1");
  const auto other = engine.push(make_slow_image(all.folder() / "other", 100), "team/other:1");
  check_good(engine.pull(lazy));
  // This pull names no image to the node.
  check_good(engine.ctr({"images", "pull", "--plain-http", "--snapshotter", "firstlight", other}));
  CHECK(engine.snapshots().size() == 3);  // the lower layer is one
  CHECK(all.node_status()["snapshots"]["remote"] == 2);

  check_good(engine.run_detached(lazy, "lazy", idle));
  check_good(engine.run_detached(other, "other", idle));
  check_good(engine.exec("lazy", shell("echo lazy >/etc/passwd; rm /data/f0")));
  const auto read = engine.exec("other", hash_data);
  check_good(read);
  CHECK(read.output == hash_of_data(100));
  CHECK(engine.exec("other", shell("cat /etc/passwd")).output == "root:x:0:0:root:/root:/bin/sh\n");
  const auto anew = engine.run(lazy, "anew", hash_data);
  check_good(anew);
  CHECK(anew.output == hash_of_data());

  for (const auto* container : {"lazy", "other"}) engine.remove(container);
  check_good(engine.ctr({"images", "rm", "--sync", lazy, other}));
  CHECK(engine.snapshots().empty());
  CHECK(eventually([&] { return all.node_status()["store_bytes"] == 0; }));
  CHECK(eventually([&] { return all.mounts().empty(); }));
}

}  // namespace firstlight
