#include "test/e2e/kubelet.hpp"

/// Images that the labels of their snapshots name as `ctr-remote image rpull` does.
namespace firstlight {
namespace {

/// `ctr-remote` gives these to the layers of a manifest while it pulls; containerd makes labels of them. Here
/// the manifest itself has them, which is the same to containerd. @returns the layers' digests
std::vector<std::string> annotate_layers(const std::filesystem::path& layout, const std::string& reference) {
  const auto index_file = layout / "index.json";
  auto index = nlohmann::json::parse(text_of(index_file));
  auto& entry = index["manifests"][0];
  const auto blob = [&](const std::string& id) {
    return layout / "blobs/sha256" / id.substr(id.find(':') + 1);
  };
  auto manifest = nlohmann::json::parse(text_of(blob(entry["digest"])));
  std::vector<std::string> layers;
  std::string all;
  for (const auto& layer : manifest["layers"]) {
    layers.push_back(layer["digest"]);
    all += (all.empty() ? "" : ",") + layers.back();
  }
  for (auto& layer : manifest["layers"])
    layer["annotations"] = {{"containerd.io/snapshot/remote/stargz.reference", reference},
                            {"containerd.io/snapshot/remote/stargz.digest", layer["digest"]},
                            {"containerd.io/snapshot/remote/stargz.layers", all},
                            {"containerd.io/snapshot/remote/stargz.prefetch", "10485760"}};
  const auto text = manifest.dump();
  entry["digest"] = sha256(std::as_bytes(std::span(text))).oci();
  entry["size"] = text.size();
  std::ofstream(blob(entry["digest"]), std::ios::binary) << text;
  std::ofstream(index_file) << index.dump();
  return layers;
}

}  // namespace

TEST_CASE("the layers of an image that only ctr-remote's labels name, by its tag, are not downloaded") {
  if (!cluster::possible()) return;
  cluster all({.node = {"containerd.hub_wait=60s"}});
  containerd_daemon engine(all, cri_plugin::without_labels);
  push_pause(engine, all);
  const auto layout = make_slow_image(all.folder() / "layout");
  const auto tag = engine.registry().host() + "/team/app:1";
  const auto layers = annotate_layers(layout, tag);
  REQUIRE(engine.push(layout, "team/app:1") == tag);
  const auto kubelet = engine.cri();
  good(kubelet->pull(tag));
  const auto snapshots = all.node_status()["snapshots"];
  INFO(snapshots.dump());
  CHECK(snapshots["remote"] == 2);
  CHECK(snapshots["fallbacks"] == 0);
  const auto downloaded = engine.ctr({"--namespace", "k8s.io", "content", "ls", "--quiet"});
  check_good(downloaded);
  CHECK(downloaded.output.find("sha256:") != std::string::npos);  // the manifest, the configuration
  for (const auto& layer : layers) CHECK(downloaded.output.find(layer) == std::string::npos);

  const auto pod = good(kubelet->run_pod("web"));  // its own image is named by nothing
  const auto one = start_idle(*kubelet, pod, tag);
  CHECK(good(kubelet->exec(one, hash_data)) == hash_of_data());
  CHECK(all.node_status()["snapshots"]["remote"] == 2);
  good(kubelet->remove_pod(pod));
}

}  // namespace firstlight
