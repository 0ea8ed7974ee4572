#include "test/e2e/streamed_image.hpp"

namespace firstlight {

TEST_CASE("an update that changes little of an image brings little over the wire") {
  if (!cluster::possible()) return;
  cluster all;
  const auto first = make_streamed_image(all.folder() / "first");
  const auto second = make_streamed_image(all.folder() / "second", {.changed = 6});
  all.add(first.layout, "app:1");
  all.add(second.layout, "app:2");
  all.mount("app:1", "first");
  check_complete(all, "app:1");
  const auto before = all.bytes_received();
  REQUIRE(before >= first.bytes);

  auto reader = all.run(hash_files(all.mount("app:2", "second")));
  check_reads_right(all, *reader, second);
  check_complete(all, "app:2");
  CHECK(all.bytes_received() - before < 100'000);
  CHECK(hashes_of(all, all.folder() / "mounts" / "first") == hashes_of(all, first.tree));
}

TEST_CASE("a program reads at once what another image's delivery brings") {
  if (!cluster::possible()) return;
  cluster all({.link_bytes_per_second = 4'000'000});
  const auto first = make_streamed_image(all.folder() / "first", {.files = 8});
  const auto second = make_streamed_image(all.folder() / "second", {.files = 9});
  all.add(first.layout, "app:1");
  all.add(second.layout, "side:1");
  all.mount("app:1", "first");
  auto reader = all.run(hash_files(all.mount("side:1", "second")));
  check_reads_right(all, *reader, second);
  check_complete(all, "side:1");
  check_complete(all, "app:1");
  CHECK(all.bytes_received() < second.bytes + second.bytes / 20);
}

TEST_CASE("an image that was evicted comes again at once") {
  if (!cluster::possible()) return;
  cluster all;
  const auto image = make_streamed_image(all.folder() / "image", {.files = 4});
  all.add(image.layout, "app:1");
  REQUIRE(all.on_node({"pull", "app:1"}).exit_code == 0);
  REQUIRE(all.on_node({"evict", "app:1"}).exit_code == 0);
  auto pull = all.start({"pull", "app:1"});
  REQUIRE(pull->wait(std::chrono::minutes(1)) == program_end{0, 0});
  CHECK(all.bytes_received() >= 2 * image.bytes);
}

TEST_CASE("of images that are pulled together what they share comes once") {
  if (!cluster::possible()) return;
  cluster all;
  const auto first = make_streamed_image(all.folder() / "first", {.files = 8});
  const auto second = make_streamed_image(all.folder() / "second", {.files = 9});
  all.add(first.layout, "app:1");
  all.add(second.layout, "side:1");
  auto pull = all.start({"pull", "app:1", "side:1"});
  REQUIRE(pull->wait(std::chrono::minutes(1)) == program_end{0, 0});
  CHECK(pull->output().find("side:1") != std::string::npos);
  CHECK(all.bytes_received() < second.bytes + second.bytes / 20);
  CHECK(all.on_node({"pull", "app:1", "no.such/image:1"}).exit_code != 0);
}

TEST_CASE("what was written under a name belongs to one version of an image") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_streamed_image(all.folder() / "first", {.files = 1}).layout, "app:1");
  all.add(make_streamed_image(all.folder() / "second", {.files = 1, .changed = 1}).layout, "app:2");
  const auto layers = [&] { return all.on_node({"layer", "ls"}).reply["layers"].size(); };
  CHECK(all.on_node({"mount", "nobody/has:this", "--name", "app"}).exit_code != 0);
  CHECK(layers() == 0);

  const auto target = all.mount("app:1", "app", mount_kind::writable);
  std::ofstream(target / "data" / "new") << "written";
  REQUIRE(all.on_node({"umount", "app"}).exit_code == 0);
  CHECK(layers() == 1);
  const auto other = all.on_node({"mount", "app:2", target.string(), "--name", "app"});
  CHECK(other.exit_code != 0);
  CHECK(other.errors.find("firstlight layer rm") != std::string::npos);
  CHECK(layers() == 1);
  all.mount("app:1", "app", mount_kind::writable);
  CHECK(std::filesystem::exists(target / "data" / "new"));
}

TEST_CASE(
    "what a mount writes to is a writable layer of the layer store, which is in use while it is mounted") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  all.add(make_streamed_image(all.folder() / "image", {.files = 1}).layout, "app:1");
  const auto layers = [&] { return all.on_node({"layer", "ls"}).reply["layers"]; };
  all.mount("app:1", "plain", mount_kind::read_only);
  CHECK(layers().empty());

  const auto target = all.mount("app:1", "app", mount_kind::writable);
  const auto mounted = layers();
  REQUIRE(mounted.size() == 1);
  CHECK(mounted[0]["writable"] == true);
  CHECK(mounted[0]["references"] == 1);
  std::ofstream(target / "data" / "new") << "written";
  const std::filesystem::path folder = mounted[0]["path"].get<std::string>();
  CHECK(std::filesystem::exists(folder / "upper" / "data" / "new"));

  REQUIRE(all.on_node({"umount", "app"}).exit_code == 0);
  CHECK(eventually([&] { return layers().at(0)["references"] == 0; }));
  const auto left = layers();
  REQUIRE(left.size() == 1);
  CHECK(left[0]["path"] == folder.string());
  CHECK(left[0]["writable"] == true);
}

}  // namespace firstlight
