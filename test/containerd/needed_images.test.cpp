#include "test/containerd/remote_bench.hpp"

/// Which images containerd needs.
namespace firstlight {
namespace {

/// Two versions of an image, which have the lower layer in common. It was made for the older one.
struct two_versions {
  remote_bench all;
  digest next = id("manifest of the next version");
  std::string shared = all.chain[0].oci();
  std::string old_top = all.chain[1].oci();

  two_versions() {
    all.prepare_all();
    {
      const std::lock_guard lock(all.root->mutex);
      all.image = next;
      all.layers[1] = id("layer 2 of the next version");
      all.chain = chain_ids(all.layers);
    }
    auto labels = of_layer(all.chain[1]);
    labels["containerd.io/snapshot/cri.manifest-digest"] = next.oci();
    CHECK(all.bench.prepare("extract-3", shared, labels).error_code() == code::ALREADY_EXISTS);
  }
  bool is_here(const digest& version) {
    return all.bench.catalogue().find_manifest(version).value().has_value();
  }
};

/// What a view that is mounted there shows.
std::string shown(const std::filesystem::path& view) {
  std::string reference;
  std::ifstream(view / "of-the-image") >> reference;
  return reference;
}

std::string lowest_layer_of(const digest& version) {
  return "docker.io/library/redis@" + version.oci() + "#1";
}

}  // namespace

TEST_CASE("the root is told of which images there are snapshots, also after a restart") {
  remote_bench all;
  const auto told = [&](const std::set<digest>& manifests) {
    return eventually([&] {
      const std::lock_guard lock(all.root->mutex);
      return all.root->manifests == manifests;
    });
  };
  REQUIRE(all.bench.prepare("of no image").ok());
  CHECK(told({}));
  all.prepare_all();
  CHECK(told({manifest}));
  {
    const std::lock_guard lock(all.root->mutex);
    all.root->manifests.clear();
  }
  all.bench.restart();
  CHECK(told({manifest}));
  REQUIRE(all.bench.remove(all.chain[1].oci()).ok());
  CHECK(told({manifest}));
  REQUIRE(all.bench.remove(all.chain[0].oci()).ok());
  CHECK(told({}));
}

TEST_CASE("an older version goes though the newer one stands on a layer that was made for it") {
  two_versions both;
  auto& bench = both.all.bench;
  CHECK(both.is_here(manifest));
  REQUIRE(bench.remove(both.old_top).ok());
  CHECK(eventually([&] { return !both.is_here(manifest); }));
  CHECK(both.is_here(both.next));
  CHECK(eventually([&] {
    const std::lock_guard lock(both.all.root->mutex);
    return both.all.root->manifests == std::set<digest>{both.next};
  }));
  if (!may_mount()) return;
  CHECK(shown(bench.view_mounted("one", both.shared)) == lowest_layer_of(both.next));
  bench.restart();
  CHECK(shown(bench.view_mounted("two", both.shared)) == lowest_layer_of(both.next));
  CHECK(both.is_here(both.next));
}

TEST_CASE("the layer that a view shows stays mounted when the version that it was made for goes") {
  if (!may_mount()) return;
  two_versions both;
  auto& bench = both.all.bench;
  const auto view = bench.view_mounted("look", both.shared);
  CHECK(shown(view) == lowest_layer_of(manifest));
  REQUIRE(bench.remove(both.old_top).ok());
  CHECK(eventually([&] { return !both.is_here(manifest); }));
  bench.restart();
  REQUIRE(bench.mounts("look").ok());
  CHECK(both.all.mounts() == 1);
  CHECK(both.all.umounts() == 0);
  snapshots_bench::unmount(view);
  REQUIRE(bench.remove("look").ok());
  CHECK(eventually([&] { return both.all.umounts() == 1; }));
  CHECK(shown(bench.view_mounted("later", both.shared)) == lowest_layer_of(both.next));
}

}  // namespace firstlight
