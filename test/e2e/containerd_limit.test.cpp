#include "test/e2e/slow_image.hpp"

/// Containers of images that a node's store has no room for.
namespace firstlight {

TEST_CASE("of two images that containerd has the older one starts without a hub, though the store is full") {
  if (!cluster::possible()) return;
  constexpr std::uint64_t limit = 14'000'000;  // one of them fits
  cluster all({.node = {"store_bytes_max=" + std::to_string(limit)}});
  containerd_daemon engine(all);
  const std::string first = "docker.io/library/first:1";
  const std::string second = "docker.io/library/second:1";
  all.add(make_slow_image(all.folder() / "first"), "first:1");
  all.add(make_slow_image(all.folder() / "second", 100), "second:1");
  engine.stop_registry();
  for (const auto& image : {first, second}) {
    check_good(engine.pull(image));
    check_complete(all, image);
  }
  const auto has_notice = [&] {
    return all.node_status()["notices"].dump().find("remove images in containerd") != std::string::npos;
  };
  CHECK(eventually(has_notice));
  CHECK(all.node_status()["store_bytes"] > limit);
  all.kill_hub();
  const auto ran = engine.run(first, "one", hash_data);
  check_good(ran);
  CHECK(ran.output == hash_of_data());

  check_good(engine.ctr({"images", "rm", "--sync", second}));
  CHECK(eventually([&] { return all.node_status()["store_bytes"] <= limit; }));
  CHECK_FALSE(has_notice());
  CHECK(engine.run(first, "two", hash_data).output == hash_of_data());
}

}  // namespace firstlight
