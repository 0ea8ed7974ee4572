#include "test/containerd/remote_bench.hpp"

/// Questions to the hub that containerd waits for no longer.
namespace firstlight {

TEST_CASE("who gives up a pull of an image names that one and not the next one") {
  remote_bench all;
  all.bench.options.hub_wait = std::chrono::milliseconds(20);
  all.bench.restart();
  all.hub_answers = false;
  for (std::size_t pull = 1; pull <= 2; ++pull) {
    REQUIRE(all.bench.prepare("extract", "", of_layer(all.chain[0])).ok());
    REQUIRE(all.bench.remove("extract").ok());
    CHECK(eventually([&] {
      const std::lock_guard lock(all.root->mutex);
      return all.root->given_up_by.size() == pull;
    }));
  }
  const std::lock_guard lock(all.root->mutex);
  CHECK(all.root->given_up_by == all.root->pullers);
  REQUIRE(all.root->pullers.size() == 2);
  CHECK(all.root->pullers[0] != all.root->pullers[1]);
}

}  // namespace firstlight
