#include <filesystem>
#include <set>

#include "test/e2e/streamed_image.hpp"

namespace firstlight {
namespace {

std::set<std::string> images_of(cluster& all) {
  std::set<std::string> names;
  const auto list = all.on_node({"ls"});
  REQUIRE(list.exit_code == 0);
  for (const auto& image : list.reply["images"]) {
    const std::string reference = image["reference"];
    names.insert(reference.substr(reference.rfind('/') + 1));  // without the registry
  }
  return names;
}

}  // namespace

TEST_CASE("a store above its limit forgets what was used longest ago, but nothing that a mount may read") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  // Two of the images fit; the first two share all files but three.
  constexpr streamed_shape shape{.files = 8, .file_bytes = 256U << 10U};
  cluster all({.node = {"mount_mode=" + mode, "store_bytes_max=4000000"}});
  const auto first = make_streamed_image(all.folder() / "first", shape);
  auto changed = shape;
  changed.changed = 3;
  const auto second = make_streamed_image(all.folder() / "second", changed);
  const auto third = make_streamed_image(all.folder() / "third", {.files = 12, .file_bytes = 200U << 10U});
  all.add(first.layout, "first:1");
  all.add(second.layout, "second:1");
  all.add(third.layout, "third:1");

  const auto root = all.mount("first:1", "mounted", mount_kind::writable);
  check_complete(all, "first:1");
  // Not read yet: the kernel finds the files when it opens them.
  REQUIRE(all.on_node({"pull", "second:1"}).exit_code == 0);
  CHECK(images_of(all).size() == 2);
  REQUIRE(all.on_node({"pull", "third:1"}).exit_code == 0);
  REQUIRE(eventually([&] { return !images_of(all).contains("second:1"); }));
  CHECK(images_of(all).contains("first:1"));
  all.kill_hub();
  CHECK(hashes_of(all, root) == hashes_of(all, first.tree));

  // Without the mount the first goes too, and comes back when it is wanted.
  REQUIRE(all.on_node({"umount", "mounted"}).exit_code == 0);
  REQUIRE(eventually([&] { return all.node_status()["store_bytes"] <= 4'000'000; }));
  all.start_hub();
  all.await_joined();
  const auto again = all.mount("second:1", "again");
  CHECK(hashes_of(all, again) == hashes_of(all, second.tree));
}

TEST_CASE(
    "without a hub images are evicted though another is there in part, and that one unless it is mounted") {
  if (!cluster::possible()) return;
  const std::string way = GENERATE("pulled", "pulled before a restart", "mounted");
  CAPTURE(way);
  cluster all;
  const auto whole = make_streamed_image(all.folder() / "whole", {.files = 2, .file_bytes = 300U << 10U});
  const auto part = make_streamed_image(all.folder() / "part", {.files = 8});
  all.add(whole.layout, "whole:1");
  all.add(part.layout, "part:1");
  REQUIRE(all.on_node({"pull", "whole:1"}).exit_code == 0);
  all.link().rate(400'000);
  std::unique_ptr<running_program> pull;
  if (way == "mounted")
    all.mount("part:1", "mounted");
  else
    pull = all.start({"pull", "part:1"});
  REQUIRE(eventually([&] { return all.node_status()["store_bytes"] > whole.bytes + (600U << 10U); }));
  CHECK(all.on_node({"evict", "whole:1"}).exit_code == 4);  // busy
  all.kill_hub();
  if (way == "pulled before a restart") {
    REQUIRE(all.stop_node());
    all.start_node();
  }
  REQUIRE(eventually([&] { return all.on_node({"evict", "whole:1"}).exit_code == 0; }));
  CHECK(images_of(all) == std::set<std::string>{"part:1"});
  CHECK(all.node_status()["store_bytes"] > 0);
  const auto evicted = all.on_node({"evict", "part:1"});
  if (way == "mounted") {
    CHECK(evicted.errors.find("is mounted") != std::string::npos);
    return;
  }
  CHECK(evicted.exit_code == 0);
  CHECK(all.node_status()["store_bytes"] == 0);
  CHECK(pull->wait(std::chrono::minutes(1)) != program_end{0, 0});
}

TEST_CASE("a hub refuses an image for which its store has no room, and takes one that has") {
  if (!cluster::possible()) return;
  cluster all({.hub = {"store_bytes_max=1000000"}});
  const auto large = make_streamed_image(all.folder() / "large", {.files = 8, .file_bytes = 256U << 10U});
  const auto small = make_streamed_image(all.folder() / "small", {.files = 2, .file_bytes = 256U << 10U});
  const auto refused = all.on_hub({"image", "add", "oci:" + large.layout.string(), "--name", "large:1"});
  CHECK(refused.exit_code == 8);  // the disk or a limit is full
  CAPTURE(refused.errors);
  CHECK(refused.errors.find("store_bytes_max (1.0 MB)") != std::string::npos);
  CHECK(refused.errors.find("'firstlight image rm'") != std::string::npos);
  REQUIRE(eventually([&] { return all.hub_status()["store_bytes"] == 0; }));
  // It is not read again: the layers are not there any more.
  const auto blobs = large.layout / "blobs" / "sha256";
  for (const auto& blob : std::filesystem::directory_iterator(blobs))
    if (blob.file_size() > 1'000'000) std::filesystem::remove(blob.path());
  const auto again = all.on_hub({"image", "add", "oci:" + large.layout.string(), "--name", "large:1"});
  CHECK(again.exit_code == 8);
  CAPTURE(again.errors);
  CHECK(again.errors.find("a moment ago") != std::string::npos);
  all.add(small.layout, "small:1");
  const auto root = all.mount("small:1", "mounted");
  CHECK(hashes_of(all, root) == hashes_of(all, small.tree));

  // A third one is refused, and taken at once when room has been made for it.
  const auto third = make_streamed_image(all.folder() / "third", {.files = 3, .file_bytes = 200U << 10U});
  CHECK(all.on_hub({"image", "add", "oci:" + third.layout.string(), "--name", "third:1"}).exit_code == 8);
  REQUIRE(all.on_hub({"image", "rm", "small:1"}).exit_code == 0);
  all.add(third.layout, "third:1");
  CHECK(all.hub_status()["store_bytes"] == third.bytes);
  CHECK(hashes_of(all, root) == hashes_of(all, small.tree));
}

TEST_CASE("a hub does not read an image whose compressed layers are larger than its whole store") {
  if (!cluster::possible()) return;
  cluster all({.hub = {"store_bytes_max=1000000"}});
  const auto layout = all.folder() / "large";
  tar_builder tar;
  for (std::uint64_t file = 0; file < 8; ++file)
    tar.file("f" + std::to_string(file), incompressible(file, 256U << 10U));
  write_layout(layout, {tar.take()}, layer_packing::gzip);
  for (const auto& blob : std::filesystem::directory_iterator(layout / "blobs" / "sha256"))
    if (blob.file_size() > 1'000'000) std::filesystem::remove(blob.path());
  CHECK(all.on_hub({"image", "add", "oci:" + layout.string(), "--name", "large:1"}).exit_code == 8);
}

}  // namespace firstlight
