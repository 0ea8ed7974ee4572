#include "test/e2e/kubelet.hpp"
#include "test/e2e/real_image.hpp"

/// A real image in a pod, by containerd's own pull.
namespace firstlight {
namespace {

/// Digests, as the layout's only manifest names them.
std::vector<std::string> layers_of(const std::filesystem::path& layout) {
  const auto index = nlohmann::json::parse(text_of(layout / "index.json"));
  const auto id = index.at("manifests").at(0).at("digest").get<std::string>();
  const auto manifest = nlohmann::json::parse(text_of(layout / "blobs/sha256" / id.substr(id.find(':') + 1)));
  std::vector<std::string> layers;
  for (const auto& layer : manifest.at("layers")) layers.push_back(layer.at("digest"));
  return layers;
}

/// What containerd has downloaded for Kubernetes: one digest a line.
std::string downloaded(containerd_daemon& engine) {
  const auto listed = engine.ctr({"--namespace", "k8s.io", "content", "ls", "--quiet"});
  check_good(listed);
  return listed.output;
}

}  // namespace

TEST_CASE("a real image comes to a pod, and no layer of it is downloaded", "[all]") {
  if (!cluster::possible()) return;
  cluster all({.node = {"containerd.hub_wait=180s"}});
  containerd_daemon engine(all, cri_plugin::on);
  push_pause(engine, all);
  const auto layout = real_image(all, "redis");
  const auto layers = layers_of(layout);
  const auto image = engine.push(layout, "team/redis:1");
  const auto kubelet = engine.cri();
  const auto pod = good(kubelet->run_pod("redis"));

  all.link().rate(3'000'000);
  good(kubelet->pull(image));
  // Pods have the network of this machine: no port of it is taken.
  const auto one = good(kubelet->create(
      pod, image,
      {"redis-server", "--port", "0", "--unixsocket", "/tmp/redis.sock", "--save", "", "--dir", "/tmp"}));
  good(kubelet->start(one));
  REQUIRE(eventually([&] {
    const auto said = kubelet->exec(one, {"redis-cli", "-s", "/tmp/redis.sock", "ping"});
    return said.good && said.value.starts_with("PONG");
  }));
  const auto arriving = all.node_status();
  INFO(arriving.dump());
  CHECK(std::any_of(arriving["mounts"].begin(), arriving["mounts"].end(),
                    [](const auto& mount) { return mount["complete"] == false; }));
  CHECK(arriving["snapshots"]["fallbacks"] == 0);
  CHECK(arriving["snapshots"]["remote"] == layers.size() + 1);  // and the pod's own image
  const auto blobs = downloaded(engine);
  INFO(blobs);
  CHECK(std::count(blobs.begin(), blobs.end(), '\n') == 4);  // manifest and configuration of either image
  for (const auto& layer : layers) CHECK(blobs.find(layer) == std::string::npos);

  all.link().rate(0);
  CHECK(eventually([&] {
    const auto mounts = all.node_status()["mounts"];
    return std::all_of(mounts.begin(), mounts.end(),
                       [](const auto& mount) { return mount["complete"] == true; });
  }));
  CHECK(good(kubelet->exec(one, shell("echo mine >/tmp/mine; cat /tmp/mine"))) == "mine\n");
  CHECK(kubelet->runs(one));
  good(kubelet->remove_container(one));
  good(kubelet->remove_pod(pod));
  for (const auto& each : {image, engine.pause_image()}) good(kubelet->remove_image(each));
  CHECK(eventually([&] { return all.node_status()["snapshots"]["count"] == 0; }));
  CHECK(eventually([&] { return all.node_status()["store_bytes"] == 0; }));
  CHECK(eventually([&] { return all.mounts().empty(); }));
}

}  // namespace firstlight
