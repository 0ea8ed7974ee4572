#include <future>

#include "test/e2e/kubelet.hpp"

/// What kubelet does, with the container runtime interface of a real containerd whose images come through the
/// node.
namespace firstlight {
namespace {

/// What a monitor reads of the node.
std::string metrics_of(cluster& all, const std::filesystem::path& socket) {
  auto curl = all.run({"curl", "-s", "--max-time", "15", "--unix-socket", socket, "http://node/metrics"});
  REQUIRE(curl->wait(std::chrono::seconds(20)) == program_end{0, 0});
  return curl->output();
}

}  // namespace

TEST_CASE("a pod's container starts while its image arrives, and goes on through restarts") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all, cri_plugin::on);
  push_pause(engine, all);
  const auto image = engine.push(make_slow_image(all.folder() / "layout"), "team/app:1");
  const auto kubelet = engine.cri();
  const auto pod = good(kubelet->run_pod("web"));

  all.link().rate(400'000);
  good(kubelet->pull(image));
  const auto one = start_idle(*kubelet, pod, image);
  CHECK(good(kubelet->exec(one, shell("echo mine >/etc/passwd; cat /etc/passwd"))) == "mine\n");
  const auto arriving = all.node_status();
  INFO(arriving.dump());
  CHECK(arriving["snapshots"]["fallbacks"] == 0);
  CHECK(arriving["mounts"].size() == 2);  // the pod's own image, and this one
  CHECK(std::any_of(arriving["mounts"].begin(), arriving["mounts"].end(),
                    [](const auto& mount) { return mount["complete"] == false; }));

  REQUIRE(all.stop_node());
  all.start_node();
  all.await_joined();
  engine.restart();
  all.link().rate(0);
  CHECK(kubelet->runs(one));
  CHECK(good(kubelet->exec(one, shell("cat /etc/passwd"))) == "mine\n");
  CHECK(good(kubelet->exec(one, shell("cat /data/* | wc -c"))) == "8388608\n");

  const auto second = good(kubelet->run_pod("web-2"));
  const auto two = start_idle(*kubelet, second, image);
  CHECK(good(kubelet->exec(two, shell("cat /etc/passwd"))) == "root:x:0:0:root:/root:/bin/sh\n");
  good(kubelet->remove_container(one));
  CHECK(kubelet->runs(two));
  for (const auto& each : {pod, second}) good(kubelet->remove_pod(each));

  const auto snapshots = [&] { return all.node_status()["snapshots"]["count"]; };
  CHECK(snapshots() > 0);  // the layers of both images
  for (const auto& each : {image, engine.pause_image()}) good(kubelet->remove_image(each));
  CHECK(eventually([&] { return snapshots() == 0; }));
  CHECK(eventually([&] { return all.node_status()["store_bytes"] == 0; }));
  CHECK(eventually([&] { return all.mounts().empty(); }));
}

TEST_CASE("all layers of an image are one delivery, however many pulls at once make their snapshots") {
  if (!cluster::possible()) return;
  cluster all({.node = {"containerd.hub_wait=60s"}});
  containerd_daemon engine(all, cri_plugin::on);
  std::vector<std::string> layers{shell_layer()};
  for (std::uint64_t layer = 0; layer < 5; ++layer)
    layers.push_back(
        tar_builder().file("data" + std::to_string(layer), incompressible(layer, 1U << 20U)).take());
  write_layout(all.folder() / "layout", layers);
  const auto image = engine.push(all.folder() / "layout", "team/app:1");
  const auto same = engine.push(all.folder() / "layout", "team/app:2");

  all.link().rate(400'000);
  std::vector<std::future<cri_said>> pulls;
  for (const auto& reference : {image, same, image, same})
    pulls.push_back(std::async(std::launch::async, [reference, kubelet = std::shared_ptr(engine.cri())] {
      return kubelet->pull(reference);
    }));
  for (auto& pull : pulls) good(pull.get());
  const auto at_hub = all.hub_status();
  INFO(at_hub.dump());
  REQUIRE(at_hub["nodes"].size() == 1);
  CHECK(at_hub["nodes"][0]["deliveries"].size() == 1);  // and it still runs
  all.link().rate(0);
  const auto ended = [&] {
    const auto deliveries = all.node_status()["deliveries"];
    return deliveries.size() == 1 && deliveries[0]["state"] == "complete";
  };
  CHECK(eventually(ended));
  const auto status = all.node_status();
  INFO(status.dump());
  CHECK(status["snapshots"]["fallbacks"] == 0);
  CHECK(status["snapshots"]["prepared"] == layers.size());
  CHECK(status["snapshots"]["remote"] == layers.size());
  CHECK(status["images"] == 1);
  CHECK(all.hub_status()["images"] == 1);
}

TEST_CASE("kubelet's calls through the node fail at once while containerd is away, and work after that") {
  if (!cluster::possible()) return;
  using end = void (containerd_daemon::*)();
  const end ends = GENERATE(as<end>(), &containerd_daemon::stop, &containerd_daemon::kill);
  cluster all;
  containerd_daemon engine(all, cri_plugin::on);
  const auto image = engine.push(make_shell_image(all.folder() / "layout"), "team/app:1");
  const auto kubelet = engine.cri_by_node();
  good(kubelet->pull(image));

  (engine.*ends)();
  const auto refused = kubelet->pull(image);
  CHECK_FALSE(refused.good);
  INFO(refused.errors);
  CHECK(refused.errors.find((all.folder() / "c.sock").string()) != std::string::npos);
  engine.start();
  REQUIRE(eventually([&] { return kubelet->serves(); }));  // after containerd.reconnect_wait
  CHECK(kubelet->has_image(image));
  good(kubelet->remove_image(image));
  CHECK_FALSE(kubelet->has_image(image));
  good(kubelet->pull(image));
}

TEST_CASE("without a hub kubelet's pull ends as ever, and so does the pod") {
  if (!cluster::possible()) return;
  cluster all({.node = {"containerd.hub_wait=1s"}});
  const auto monitor = all.folder() / "metrics.sock";
  all.restart_node({"metrics_listen=" + monitor.string()});
  containerd_daemon engine(all, cri_plugin::on);
  push_pause(engine, all);
  const auto image = engine.push(make_slow_image(all.folder() / "layout"), "team/app:1");
  CHECK(metrics_of(all, monitor).find("firstlight_snapshot_fallbacks_total 0\n") != std::string::npos);
  all.kill_hub();
  const auto kubelet = engine.cri();
  const auto pod = good(kubelet->run_pod("web"));
  good(kubelet->pull(image));
  const auto one = start_idle(*kubelet, pod, image);
  CHECK(good(kubelet->exec(one, shell("cat /data/* | wc -c"))) == "8388608\n");
  const auto status = all.node_status();
  CHECK(status["snapshots"]["fallbacks"] == 2);  // the pod's own image, and this one
  CHECK(metrics_of(all, monitor).find("firstlight_snapshot_fallbacks_total 2\n") != std::string::npos);
  INFO(status["notices"].dump());
  const auto name = image.substr(0, image.rfind(':'));  // by its digest
  CHECK(status["notices"].dump().find("containerd downloaded an image itself: " + name + "@sha256:") !=
        std::string::npos);
  CHECK(all.node_log().find("containerd downloads " + name + "@sha256:") != std::string::npos);
  good(kubelet->remove_pod(pod));
}

TEST_CASE("a hub that comes back while containerd waits for it delivers the image") {
  if (!cluster::possible()) return;
  cluster all({.node = {"containerd.hub_wait=60s"}});
  containerd_daemon engine(all, cri_plugin::on);
  const auto image = engine.push(make_slow_image(all.folder() / "layout"), "team/app:1");
  all.kill_hub();
  REQUIRE(eventually([&] { return all.node_status()["link"]["state"] != "up"; }));
  const auto kubelet = std::shared_ptr(engine.cri());
  auto pull = std::async(std::launch::async, [&] { return kubelet->pull(image); });
  CHECK(eventually([&] { return !all.node_status()["deliveries"].empty(); }));  // it has asked in vain
  all.start_hub();
  good(pull.get());
  const auto status = all.node_status();
  INFO(status.dump());
  CHECK(status["snapshots"]["fallbacks"] == 0);
  CHECK(status["snapshots"]["remote"] == 2);
}

}  // namespace firstlight
