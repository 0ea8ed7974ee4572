#include "test/containerd/remote_bench.hpp"

/// Which images containerd needs.
namespace firstlight {

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

}  // namespace firstlight
