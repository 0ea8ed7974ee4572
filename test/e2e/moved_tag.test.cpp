#include "test/e2e/shell_image.hpp"
#include "test/harness/cluster/registry.hpp"

/// Tags of a registry that come to mean another image.
namespace firstlight {
namespace {

/// Two versions of an image, which differ in the middle of each file, and a registry for them.
struct moving_bench {
  cluster all;
  registry_daemon registry{all};
  streamed_image first = make_streamed_image(all.folder() / "first", {.files = 4});
  streamed_image second = make_streamed_image(all.folder() / "second", {.files = 4, .changed = 4});

  explicit moving_bench(const std::string& interval) : all({.hub = {"tag_check_interval=" + interval}}) {}
  /// @returns the tag's reference, always the same one
  std::string push(const streamed_image& version) { return registry.push(version.layout, "team/app:1"); }
  /// The reference by digest of what the hub has under the tag.
  std::string pinned(const std::string& tag) {
    const auto shown = all.on_hub({"image", "show", tag});
    check_good(shown);
    return registry.host() + "/team/app@sha256:" + shown.reply["image"]["manifest"].get<std::string>();
  }
  std::string hashes_of_mount(const std::string& image, const std::string& name) {
    return hashes_of(all, all.mount(image, name));
  }
};

}  // namespace

TEST_CASE("a tag that moves at its registry brings the new version, and the old one's digest the old") {
  if (!cluster::possible()) return;
  moving_bench bench("1ms");
  const auto old_hashes = hashes_of(bench.all, bench.first.tree);
  const auto new_hashes = hashes_of(bench.all, bench.second.tree);
  REQUIRE(old_hashes != new_hashes);
  const auto tag = bench.push(bench.first);
  check_good(bench.all.on_node({"pull", tag}));
  CHECK(bench.hashes_of_mount(tag, "before") == old_hashes);
  const auto pinned = bench.pinned(tag);

  REQUIRE(bench.push(bench.second) == tag);
  check_good(bench.all.on_node({"pull", tag}));
  CHECK(bench.hashes_of_mount(tag, "after") == new_hashes);
  CHECK(bench.pinned(tag) != pinned);
  CHECK(hashes_of(bench.all, bench.all.folder() / "mounts" / "before") == old_hashes);
  check_good(bench.all.on_node({"pull", pinned}));
  CHECK(bench.hashes_of_mount(pinned, "pinned") == old_hashes);
}

TEST_CASE("the version that a tag meant before leaves the node when nothing has it mounted any more") {
  if (!cluster::possible()) return;
  moving_bench bench("1ms");
  auto& all = bench.all;
  const bool mounted = GENERATE(false, true);
  CAPTURE(mounted);
  const auto tag = bench.push(bench.first);
  check_good(all.on_node({"pull", tag}));
  if (mounted) all.mount(tag, "before");
  REQUIRE(bench.push(bench.second) == tag);
  check_good(all.on_node({"pull", tag}));
  if (mounted) {
    CHECK(hashes_of(all, all.folder() / "mounts" / "before") == hashes_of(all, bench.first.tree));
    CHECK(all.node_status()["store_bytes"] == bench.first.bytes + bench.second.bytes);
    check_good(all.on_node({"umount", "before"}));
  }
  CHECK(eventually([&] { return all.node_status()["store_bytes"] == bench.second.bytes; }));
  CHECK(bench.hashes_of_mount(tag, "after") == hashes_of(all, bench.second.tree));
  check_good(all.on_node({"umount", "after"}));
  CHECK(eventually([&] { return all.on_node({"evict"}).exit_code == 0; }));
  CHECK(all.node_status()["store_bytes"] == 0);
  CHECK(std::filesystem::is_empty(all.node_store() / "tocs"));
}

TEST_CASE("a moved tag is not looked up within its interval, unless an administrator adds it") {
  if (!cluster::possible()) return;
  moving_bench bench("1h");
  const auto tag = bench.push(bench.first);
  check_good(bench.all.on_node({"pull", tag}));
  REQUIRE(bench.push(bench.second) == tag);
  check_good(bench.all.on_node({"pull", tag}));
  CHECK(bench.hashes_of_mount(tag, "tree") == hashes_of(bench.all, bench.first.tree));
  check_good(bench.all.on_hub({"image", "add", tag}));
  check_good(bench.all.on_node({"pull", tag}));
  CHECK(bench.hashes_of_mount(tag, "added") == hashes_of(bench.all, bench.second.tree));
}

}  // namespace firstlight
