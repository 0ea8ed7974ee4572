#include "test/harness/cluster/containerd.hpp"

#include <sys/mount.h>

#include "test/e2e/slow_image.hpp"

/// A real containerd runs images through the node.
namespace firstlight {
namespace {

namespace fs = std::filesystem;

/// The snapshot that has that parent; empty: none.
std::string above(containerd_daemon& engine, const std::string& parent) {
  for (const auto& key : engine.snapshots()) {
    const auto info = engine.ctr({"snapshots", "--snapshotter", "firstlight", "info", key});
    if (nlohmann::json::parse(info.output).value("Parent", "") == parent) return key;
  }
  return {};
}

}  // namespace

TEST_CASE("containerd pulls, unpacks and runs an image through snapshots of the node") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  const auto image = engine.push(make_slow_image(all.folder() / "layout"), "team/app:1");
  check_good(engine.ctr({"images", "pull", "--plain-http", "--snapshotter", "firstlight", image}));
  CHECK(engine.snapshots().size() == 2);
  const auto ran = engine.run(image, "one", shell("echo ran; echo kept >/written; cat /written"));
  check_good(ran);
  CHECK(ran.output == "ran\nkept\n");
  check_good(engine.ctr({"images", "rm", "--sync", image}));
  CHECK(engine.snapshots().empty());
  CHECK(fs::is_empty(all.node_store() / "snapshots"));
}

TEST_CASE("two containers of one image share it, and each has what it wrote") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "one", idle));
  check_good(engine.run_detached(image, "two", idle));
  CHECK(all.node_status()["mounts"].size() == 1);
  check_good(engine.exec("one", shell("echo one >/etc/passwd; rm /data/f1")));
  check_good(engine.exec("two", shell("echo two >/etc/passwd; chmod 4700 /data/f2; mv /data/f3 /f3")));
  CHECK(engine.exec("one", shell("cat /etc/passwd; ls /data | wc -l")).output == "one\n7\n");
  CHECK(engine.exec("two", shell("cat /etc/passwd; ls /data | wc -l")).output == "two\n7\n");
  engine.remove("one");
  CHECK(engine.exec("two", shell("cat /data/f4 | wc -c")).output == "1048576\n");
  engine.remove("two");
  CHECK(eventually([&] { return all.node_status()["mounts"].empty(); }));
}

TEST_CASE("what a container wrote is committed as a snapshot and built on") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "one", idle));
  check_good(engine.exec("one", shell("echo new >/new; rm /data/f0")));
  engine.end("one");
  const auto on = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"snapshots", "--snapshotter", "firstlight"});
    return engine.ctr(arguments);
  };
  check_good(on({"commit", "mine", engine.whole("one")}));
  const auto point = engine.mounted("prepare", "next", "mine");
  CHECK(text_of(point / "new") == "new\n");
  CHECK_FALSE(fs::exists(point / "data/f0"));
  CHECK(fs::file_size(point / "data/f1") == 1U << 20U);
}

TEST_CASE("what the lower layers of an image show alone is right, and can be built on") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  const auto first = tar_builder().folder("etc/").file("etc/a", "first").file("etc/gone", "x").take();
  const auto second = tar_builder().file("etc/a", "second").file("etc/.wh.gone", "").file("b", "b").take();
  const auto third = tar_builder().file("etc/a", "third").take();
  const auto layout = all.folder() / "layout";
  write_layout(layout, {first, second, third});
  const auto image = engine.push(layout, "team/app:1");
  check_good(engine.pull(image));
  const auto one = above(engine, "");
  const auto two = above(engine, one);
  const auto lowest = engine.mounted("view", "lowest", one);
  CHECK(text_of(lowest / "etc/a") == "first");
  CHECK(fs::exists(lowest / "etc/gone"));
  CHECK_FALSE(fs::exists(lowest / "b"));
  const auto middle = engine.mounted("prepare", "middle", two);
  CHECK(text_of(middle / "etc/a") == "second");
  CHECK_FALSE(fs::exists(middle / "etc/gone"));
  std::ofstream(middle / "mine") << "mine";
  REQUIRE(eventually([&] { return umount2(middle.c_str(), 0) == 0; }));  // what was opened there is looked at
  check_good(engine.ctr({"snapshots", "--snapshotter", "firstlight", "commit", "built", "middle"}));
  const auto built = engine.mounted("view", "look", "built");
  CHECK(text_of(built / "b") == "b");
  CHECK(text_of(built / "mine") == "mine");

  // Nothing of it is left behind.
  for (const auto& point : {built, lowest})
    REQUIRE(
        eventually([&] { return umount2(point.c_str(), 0) == 0; }));  // what was opened there is looked at
  for (const auto* key :
       {"look", "built", "lowest"})  // its views are garbage to containerd: they may be gone
    engine.ctr({"snapshots", "--snapshotter", "firstlight", "rm", key});
  check_good(engine.ctr({"images", "rm", "--sync", image}));
  CHECK(eventually([&] { return engine.snapshots().empty(); }));
  CHECK(eventually([&] { return all.node_status()["images"] == 0; }));
  CHECK(all.node_status()["store_bytes"] == 0);
}

TEST_CASE("an update from one version of an image to the next leaves the first one's containers alone") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "old", idle));
  const auto hashed = engine.exec("old", hash_data);
  check_good(hashed);
  const auto& old = hashed.output;
  REQUIRE(all.on_hub({"image", "rm", "app:1"}).exit_code == 0);
  all.add(make_slow_image(all.folder() / "layout2", 100), "app:1");
  check_good(engine.pull(image));
  const auto now = engine.run(image, "new", hash_data);
  check_good(now);
  CHECK(now.output != old);
  CHECK(engine.exec("old", hash_data).output == old);
  // The old one can be mounted anew, whatever its name means by now.
  CHECK(engine.snapshots().size() == 4);
  engine.remove("old");
  CHECK(eventually([&] { return engine.snapshots().size() == 2; }));
}

TEST_CASE(
    "a version of an image that is removed leaves the disk, and what it shared is shown by the newer one") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  const auto old = engine.push(make_slow_image(all.folder() / "layout"), "team/app:1");
  const auto now = engine.push(make_slow_image(all.folder() / "layout2", 100), "team/app:2");
  check_good(engine.pull(old));
  check_complete(all, old);
  check_good(engine.pull(now));
  check_complete(all, now);
  const auto with_both = all.node_status()["store_bytes"].get<std::uint64_t>();
  const auto shared = above(engine, "");
  check_good(engine.ctr({"images", "rm", "--sync", old}));
  CHECK(engine.snapshots().size() == 2);
  CHECK(eventually([&] { return all.node_status()["images"] == 1; }));
  CHECK(eventually([&] { return all.node_status()["store_bytes"] <= with_both - (8U << 20U); }));

  const auto look = [&](const std::string& key) {
    const auto point = engine.mounted("view", key, shared);
    CHECK(text_of(point / "etc/debian_version") == "12\n");
    CHECK_FALSE(fs::exists(point / "data"));
    REQUIRE(eventually([&] { return umount2(point.c_str(), 0) == 0; }));
    engine.ctr({"snapshots", "--snapshotter", "firstlight", "rm", key});  // garbage: it may be gone
  };
  look("one");
  REQUIRE(all.stop_node());
  all.start_node();
  REQUIRE(eventually([&] {
    return engine.ctr({"snapshots", "--snapshotter", "firstlight", "ls"}).exit_code == 0;
  }));
  look("two");
  const auto ran = engine.run(now, "new", hash_data);
  check_good(ran);
  CHECK(ran.output == hash_of_data(100));
  check_good(engine.ctr({"images", "rm", "--sync", now}));
  CHECK(eventually([&] { return all.node_status()["store_bytes"] == 0; }));
}

TEST_CASE("after a reboot a container starts again of what its tag meant before, though no hub has it") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  engine.stop_registry();
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "old", idle));
  check_good(engine.exec("old", shell("echo mine >/mine")));
  check_complete(all, "app:1");
  REQUIRE(all.on_hub({"image", "rm", "app:1"}).exit_code == 0);
  all.add(make_slow_image(all.folder() / "layout2", 100), "app:1");
  check_good(engine.pull(image));
  check_complete(all, "app:1");
  REQUIRE(all.on_hub({"image", "rm", "app:1"}).exit_code == 0);

  engine.power_off();
  all.start_node();
  engine.start();
  REQUIRE(eventually([&] {
    return engine.ctr({"snapshots", "--snapshotter", "firstlight", "ls"}).exit_code == 0;
  }));
  check_good(engine.start_again("old"));
  CHECK(engine.exec("old", hash_data).output == hash_of_data());
  CHECK(engine.exec("old", shell("cat /mine")).output == "mine\n");
  const auto now = engine.run(image, "new", hash_data);
  check_good(now);
  CHECK(now.output == hash_of_data(100));

  // The snapshot of the layer that both have was made for the old one, which goes nevertheless.
  engine.remove("old");
  CHECK(eventually([&] { return engine.snapshots().size() == 2; }));
  CHECK(eventually([&] { return all.node_status()["images"] == 1; }));
  check_good(engine.ctr({"images", "rm", "--sync", image}));
  CHECK(eventually([&] { return all.node_status()["store_bytes"] == 0; }));
}

TEST_CASE("an image that the hub has had from a registry is pulled and run when that has gone") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  const auto image = engine.push(make_slow_image(all.folder() / "layout"), "team/app:1");
  check_good(all.on_node({"pull", image}));
  engine.stop_registry();
  check_good(engine.pull(image));
  check_good(engine.run(image, "one", shell("cat /data/f0 >/dev/null")));
}

TEST_CASE("an image that containerd has from elsewhere is pulled once more, and into another namespace") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  const auto image = engine.push(make_slow_image(all.folder() / "layout"), "team/app:1");
  check_good(engine.ctr({"images", "pull", "--plain-http", "--snapshotter", "native", image}));
  for (int time = 0; time < 2; ++time) {
    check_good(engine.pull(image));
    check_good(engine.run(image, "one", shell("cat /data/f0 >/dev/null")));
  }
  const auto mine = engine.snapshots();
  CHECK(mine.size() == 2);
  const std::vector<std::string> kubernetes{"--namespace", "k8s.io", "images", "ls", "-q"};
  CHECK(engine.ctr(kubernetes).output.empty());
  check_good(engine.pull(image, "k8s.io"));
  CHECK(engine.ctr(kubernetes).output == image + "\n");
  check_good(engine.ctr({"images", "rm", "--sync", image}));  // and what it alone needed
  CHECK(engine.snapshots().empty());
  const auto theirs = engine.ctr({"--namespace", "k8s.io", "snapshots", "--snapshotter", "firstlight", "ls"});
  check_good(theirs);
  for (const auto& key : mine) CHECK(theirs.output.find(key) != std::string::npos);
}

TEST_CASE("a lazily pulled image is exported once containerd has fetched its layers, and not before") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  const auto image = engine.push(make_slow_image(all.folder() / "layout"), "team/app:1");
  check_good(engine.pull(image));
  const auto archive = (all.folder() / "app.tar").string();
  const auto refused = engine.ctr({"images", "export", archive, image});
  CHECK(refused.exit_code != 0);
  CHECK(refused.errors.find("not found") != std::string::npos);
  check_good(engine.ctr({"content", "fetch", "--plain-http", image}));
  check_good(engine.ctr({"images", "export", archive, image}));
  CHECK(fs::file_size(archive) > 8U << 20U);
  CHECK(all.node_status()["snapshots"]["remote"] == 2);  // the hub's still
  const auto ran = engine.run(image, "one", hash_data);
  check_good(ran);
  CHECK(ran.output == hash_of_data());
}

TEST_CASE("containerd itself labels a snapshot and asks for its usage") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  all.add(make_slow_image(all.folder() / "layout"), "app:1");
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  check_good(engine.run_detached(image, "one", idle));
  check_good(engine.exec("one", shell("busybox head -c 3000000 /dev/urandom >/written")));
  const auto snapshots = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"snapshots", "--snapshotter", "firstlight"});
    return engine.ctr(words);
  };
  const auto keys = engine.snapshots();
  const auto active =
      std::find_if(keys.begin(), keys.end(), [](const std::string& key) { return key.find("sha256:") != 0; });
  REQUIRE(active != keys.end());
  check_good(snapshots({"label", *active, "note=kept"}));
  const auto shown = snapshots({"info", *active});
  check_good(shown);
  CHECK(nlohmann::json::parse(shown.output)["Labels"]["note"] == "kept");
  const auto usage = snapshots({"usage", "-b", *active});
  check_good(usage);
  std::istringstream words(usage.output.substr(usage.output.find('\n') + 1));
  std::string key;
  std::uint64_t bytes = 0;
  REQUIRE(words >> key >> bytes);
  CHECK(key == *active);
  CHECK(bytes >= 3'000'000);
  CHECK(bytes < 4'000'000);
  engine.remove("one");
}

TEST_CASE("without a hub containerd is told why an image cannot be had, and pulls it by itself") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  const auto image = engine.push(make_slow_image(all.folder() / "layout"), "team/app:1");
  all.kill_hub();
  const auto refused = engine.pull(image);
  CHECK(refused.exit_code != 0);
  CHECK(refused.errors.find("hub") != std::string::npos);
  check_good(engine.ctr({"images", "pull", "--plain-http", "--snapshotter", "firstlight", image}));
  check_good(engine.run(image, "one", shell("true")));
}

TEST_CASE(
    "a pull for containerd leaves no lease behind, and says where it looked for a containerd that is away") {
  if (!cluster::possible()) return;
  cluster all;
  containerd_daemon engine(all);
  all.add(make_shell_image(all.folder() / "layout"), "app:1");
  const std::string image = "docker.io/library/app:1";
  check_good(engine.pull(image));
  const auto leases = engine.ctr({"leases", "ls"});
  check_good(leases);
  CHECK(leases.output.find("firstlight-") == std::string::npos);

  engine.stop();
  const auto refused = engine.pull(image);
  CHECK(refused.exit_code == 4);
  CHECK(refused.errors.find((all.folder() / "c.sock").string()) != std::string::npos);
  engine.start();
  CHECK(eventually([&] { return engine.pull(image).exit_code == 0; }));
  CHECK(engine.ctr({"leases", "ls"}).output.find("firstlight-") == std::string::npos);
}

TEST_CASE("a node that serves no snapshots says how it would") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_shell_image(all.folder() / "layout"), "app:1");
  const auto refused = all.on_node({"pull", "--containerd", "app:1"});
  CHECK(refused.exit_code != 0);
  CHECK(refused.errors.find("containerd.socket") != std::string::npos);
}

}  // namespace firstlight
