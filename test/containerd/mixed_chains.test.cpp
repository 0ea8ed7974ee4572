#include "test/containerd/remote_bench.hpp"

/// Chains of which the hub delivers some layers and containerd has unpacked others.
namespace firstlight {

TEST_CASE("a layer of the hub that is there above another parent is not what containerd asks for") {
  remote_bench all;
  all.prepare_all();
  const auto parents = std::vector<std::string>{all.unpacked("ns", id("unrelated")), ""};
  for (const auto& parent : parents) {
    const auto key = "above " + parent;
    REQUIRE(all.bench.prepare(key, parent, of_layer(all.chain[1])).ok());
    api::Info info;
    REQUIRE(all.bench.stat(key, &info).ok());
    CHECK(info.kind() == api::ACTIVE);
    CHECK(info.parent() == parent);
  }
}

TEST_CASE("a snapshot that has only the name of a layer is not that layer") {
  remote_bench all;
  REQUIRE(all.bench.prepare(all.chain[0].oci()).ok());
  CHECK(all.bench.prepare("extract-1", "", of_layer(all.chain[0])).error_code() == code::ALREADY_EXISTS);
  const auto found = all.found(all.chain[0], "");
  REQUIRE(found.size() == 1);
  CHECK(found[0] != all.chain[0].oci());
}

TEST_CASE("an image whose lowest layer is unpacked gets the others from the hub") {
  remote_bench all;
  const auto base = all.unpacked("ns", all.chain[0]);
  CHECK(all.bench.prepare("extract-2", base, of_layer(all.chain[1])).error_code() == code::ALREADY_EXISTS);
  CHECK(all.pulls() == 1);
  CHECK(all.found(all.chain[1], base) == std::vector<std::string>{all.chain[1].oci()});
  CHECK(all.bench.remove(base).error_code() == code::FAILED_PRECONDITION);
  CHECK(all.news(2).remote == 1);
  CHECK(all.news(2).fallbacks == 0);
}

TEST_CASE("a layer of the hub stands above each parent that containerd has for it") {
  remote_bench all;
  all.prepare_all();
  const auto base = all.unpacked("other", all.chain[0]);
  for (int i = 0; i < 2; ++i)
    CHECK(all.bench.prepare("extract-3", base, of_layer(all.chain[1])).error_code() == code::ALREADY_EXISTS);
  const auto found = all.found(all.chain[1], base);
  REQUIRE(found.size() == 1);
  CHECK(found[0] != all.chain[1].oci());
  CHECK(all.found(all.chain[1], all.chain[0].oci()) == std::vector<std::string>{all.chain[1].oci()});
  all.bench.restart();
  CHECK(all.bench.prepare("extract-4", base, of_layer(all.chain[1])).error_code() == code::ALREADY_EXISTS);
  CHECK(all.pulls() == 1);
}

TEST_CASE("an image whose layers stand above several parents counts once") {
  remote_bench all;
  all.prepare_all();
  const auto base = all.unpacked("other", all.chain[0]);
  CHECK(all.bench.prepare("extract-3", base, of_layer(all.chain[1])).error_code() == code::ALREADY_EXISTS);
  const auto found = all.found(all.chain[1], base);
  REQUIRE(found.size() == 1);
  all.arrive();
  CHECK(all.used(all.chain[1].oci()) == remote_bench::usage(5, 1));
  CHECK(all.used(found[0]) == remote_bench::usage(0, 0));
  REQUIRE(all.bench.remove(all.chain[1].oci()).ok());
  CHECK(all.used(found[0]) == remote_bench::usage(5, 1));
}

TEST_CASE("after a fall-back other images ask the hub, and the same one after the configured time") {
  const bool again = GENERATE(false, true);
  remote_bench all;
  all.bench.options.hub_wait = std::chrono::seconds(2);
  if (again) all.bench.options.hub_again = std::chrono::milliseconds(0);
  all.bench.restart();
  all.hub_answers = false;
  REQUIRE(all.bench.prepare("extract-1", "", of_layer(all.chain[0])).ok());
  const auto base = "ns/1/" + all.chain[0].oci();
  REQUIRE(all.bench.commit(base, "extract-1").ok());
  all.hub_answers = true;
  const auto image = again ? "redis:7" : "nginx:1";
  CHECK(all.bench.prepare("extract-2", base, of_layer(all.chain[1], image)).error_code() ==
        code::ALREADY_EXISTS);
  CHECK(all.pulls() == 2);
  CHECK(all.news(2).fallbacks == 1);
}

TEST_CASE("what a chain shows comes from the hub's nearest layer, and below that from what is unpacked") {
  if (!may_mount()) return;
  remote_bench all;
  const auto base = "ns/1/" + all.chain[0].oci();
  all.bench.layer(base, "", [](const auto& root) { std::ofstream(root / "unpacked") << "x"; });
  CHECK(all.bench.prepare("extract-2", base, of_layer(all.chain[1])).error_code() == code::ALREADY_EXISTS);
  all.bench.layer("mine", all.chain[1].oci(), [](const auto& root) {
    CHECK(std::filesystem::exists(root / "of-the-image"));
    CHECK_FALSE(std::filesystem::exists(root / "unpacked"));
    std::ofstream(root / "mine") << "mine";
  });
  const auto top = all.bench.view_mounted("look", "mine");
  CHECK(std::filesystem::exists(top / "of-the-image"));
  CHECK(std::filesystem::exists(top / "mine"));
  const auto inner = all.bench.view_mounted("inner", base);
  CHECK(std::filesystem::exists(inner / "unpacked"));
  CHECK_FALSE(std::filesystem::exists(inner / "of-the-image"));
}

}  // namespace firstlight
