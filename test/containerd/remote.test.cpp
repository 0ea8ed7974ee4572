#include <fstream>
#include <set>

#include "test/containerd/remote_bench.hpp"

/// Layers that containerd need not download.
namespace firstlight {

TEST_CASE("the layers of an image that the hub knows are committed at once, with one question to the hub") {
  remote_bench all;
  all.prepare_all();
  CHECK(all.pulls() == 1);
  api::Info info;
  REQUIRE(all.bench.stat(all.chain[1].oci(), &info).ok());
  CHECK(info.kind() == api::COMMITTED);
  CHECK(info.parent() == all.chain[0].oci());
  CHECK(info.labels().at("containerd.io/snapshot.ref") == all.chain[1].oci());
  CHECK(all.bench.stat("extract-1").error_code() == code::NOT_FOUND);
  CHECK(all.found(all.chain[1], all.chain[0].oci()) == std::vector<std::string>{all.chain[1].oci()});
  // The hub was asked for exactly the manifest that containerd has.
  const std::lock_guard lock(all.root->mutex);
  const auto* pull = std::get_if<admin_pull>(&all.root->requests.back());
  REQUIRE(pull != nullptr);
  CHECK(pull->reference == pinned);
  CHECK(pull->until == pull_until::mountable);
}

TEST_CASE("a layer that is there already costs no question") {
  remote_bench all;
  all.prepare_all();
  all.bench.restart();
  all.prepare_all();
  CHECK(all.pulls() == 1);
}

TEST_CASE("without a hub containerd downloads the image itself after the configured time") {
  remote_bench all;
  all.bench.options.hub_wait = std::chrono::milliseconds(20);
  all.bench.restart();
  all.hub_answers = false;
  REQUIRE(all.bench.prepare("extract-1", "", of_layer(all.chain[0])).ok());
  api::Info info;
  REQUIRE(all.bench.stat("extract-1", &info).ok());
  CHECK(info.kind() == api::ACTIVE);
  CHECK(eventually([&] {  // the link is for containerd's download now
    const std::lock_guard lock(all.root->mutex);
    return all.root->given_up == std::vector<std::string>{pinned};
  }));
  REQUIRE(all.bench.commit("ns/1/" + all.chain[0].oci(), "extract-1").ok());
  // Above an unpacked layer all others are unpacked too, without waiting for the hub again.
  REQUIRE(all.bench.prepare("extract-2", "ns/1/" + all.chain[0].oci(), of_layer(all.chain[1])).ok());
  CHECK(all.pulls() == 1);
  const auto news = all.news(2);
  CHECK(news.fallbacks == 1);
  CHECK(news.last_fallback == pinned + ": timed_out: no answer in time");
}

TEST_CASE("a layer that is not in the image that the hub has is downloaded") {
  remote_bench all;
  REQUIRE(all.bench.prepare("extract-1", "", of_layer(id("of another image"))).ok());
  // Nor one at another place of the chain.
  REQUIRE(all.bench.prepare("extract-2", "", of_layer(all.chain[1])).ok());
}

TEST_CASE("an image that containerd downloads is counted and told of once, whichever layer is the first") {
  if (!may_mount()) return;  // what is unpacked above layers of the hub shows them
  remote_bench all;
  CHECK(all.bench.prepare("extract-1", "", of_layer(all.chain[0])).error_code() == code::ALREADY_EXISTS);
  CHECK(all.news(1).fallbacks == 0);
  const auto second = id("a second layer that the hub does not know");
  REQUIRE(all.bench.prepare("extract-2", all.chain[0].oci(), of_layer(second)).ok());
  const auto why = ": " + second.oci() + " is none of the layers that the hub has";
  CHECK(all.news(2).fallbacks == 1);
  CHECK(all.news(2).last_fallback == pinned + why);
  REQUIRE(all.bench.commit("ns/1/" + second.oci(), "extract-2").ok());
  REQUIRE(all.bench.prepare("extract-3", "ns/1/" + second.oci(), of_layer(id("a third"))).ok());
  CHECK(all.news(3).fallbacks == 1);
  CHECK(all.news(3).last_fallback == pinned + why);
  REQUIRE(all.bench.prepare("extract-4", "ns/1/" + second.oci(), of_layer(id("other"), "nginx:1")).ok());
  CHECK(all.news(4).fallbacks == 2);
  CHECK(all.news(4).last_fallback.starts_with("docker.io/library/nginx@" + manifest.oci() + ": "));
}

TEST_CASE("each time that containerd downloads an image is counted and told of") {
  remote_bench all;
  const auto first = id("a layer that the hub does not know");
  const auto base = "ns/1/" + first.oci();
  REQUIRE(all.bench.prepare("extract-1", "", of_layer(first)).ok());
  CHECK(all.news(1).fallbacks == 1);
  REQUIRE(all.bench.commit(base, "extract-1").ok());
  REQUIRE(all.bench.prepare("extract-2", base, of_layer(id("a second"))).ok());
  CHECK(all.news(2).fallbacks == 1);
  // The download broke off: what is unpacked stays, the rest is tried again.
  REQUIRE(all.bench.remove("extract-2").ok());
  REQUIRE(all.bench.prepare("extract-3", base, of_layer(id("a second"))).ok());
  CHECK(eventually([&] { return all.news(2).fallbacks == 2; }));
  // The hub delivers a layer meanwhile.
  CHECK(all.bench.prepare("extract-4", "", of_layer(all.chain[0])).error_code() == code::ALREADY_EXISTS);
  REQUIRE(all.bench.prepare("extract-5", base, of_layer(id("another"))).ok());
  CHECK(all.news(4).fallbacks == 3);
}

TEST_CASE("snapshots that are not for a named image never ask the hub") {
  remote_bench all;
  REQUIRE(all.bench.prepare("a").ok());
  REQUIRE(all.bench.prepare("b", "", {{"containerd.io/snapshot.ref", all.chain[0].oci()}}).ok());
  REQUIRE(all.bench.view("c").ok());
  CHECK(all.pulls() == 0);
}

TEST_CASE("an image is mounted once for all that run it, and unmounted after the last") {
  if (!may_mount()) return;
  remote_bench all;
  all.prepare_all();
  const auto top = all.chain[1].oci();
  CHECK(all.mounts() == 0);
  const auto one = all.bench.prepare_mounted("one", top);
  const auto two = all.bench.prepare_mounted("two", top);
  CHECK(all.mounts() == 1);
  CHECK(std::filesystem::exists(one / "of-the-image"));
  std::ofstream(one / "written") << "x";
  CHECK_FALSE(std::filesystem::exists(two / "written"));
  snapshots_bench::unmount(one);
  REQUIRE(all.bench.remove("one").ok());
  CHECK(all.umounts() == 0);
  snapshots_bench::unmount(two);
  REQUIRE(all.bench.remove("two").ok());
  CHECK(eventually([&] { return all.umounts() == 1; }));
}

TEST_CASE("each container that is about to start above an image is told of, and nothing else") {
  if (!may_mount()) return;
  remote_bench all;
  const auto starts = [&] {
    const std::lock_guard lock(all.root->mutex);
    return all.root->starts.size();
  };
  all.prepare_all();
  const auto top = all.chain[1].oci();
  REQUIRE(all.bench.view("look", top).ok());
  REQUIRE(all.bench.prepare("a layer on top", top, {{"containerd.io/snapshot.ref", id("x").oci()}}).ok());
  REQUIRE(all.bench.prepare("default/3/extract-76170-x1Yz " + id("x").oci(), top).ok());
  REQUIRE(all.bench.prepare("of no image").ok());
  REQUIRE(all.bench.prepare("one", top).ok());
  CHECK(eventually([&] { return starts() == 1; }));
  REQUIRE(all.bench.prepare("two", top).ok());
  CHECK(eventually([&] { return starts() == 2; }));
}

TEST_CASE("the label of a container's snapshot says in which group its start is recorded") {
  if (!may_mount()) return;
  remote_bench all;
  all.prepare_all();
  const std::string label = "containerd.io/snapshot/firstlight.group";
  REQUIRE(all.bench.prepare("one", all.chain[1].oci(), {{label, "shop"}}).ok());
  REQUIRE(all.bench.prepare("two", all.chain[1].oci(), {{label, "blog"}}).ok());
  REQUIRE(all.bench.prepare("three", all.chain[1].oci()).ok());
  const std::lock_guard lock(all.root->mutex);
  CHECK(all.root->starts == std::vector<std::string>{"shop", "blog", ""});
  for (const auto& request : all.root->requests)
    if (const auto* mount = std::get_if<admin_mount_request>(&request)) CHECK(mount->group == "shop");
}

TEST_CASE("somebody's unmount of an image is made good when it is needed next") {
  if (!may_mount()) return;
  remote_bench all;
  all.prepare_all();
  REQUIRE(all.bench.prepare("one", all.chain[1].oci()).ok());
  for (const auto& image : std::filesystem::directory_iterator(all.bench.folder() / "run/images"))
    umount2(image.path().c_str(), MNT_DETACH);
  REQUIRE(all.bench.mounts("one").ok());
  CHECK(all.mounts() == 2);
}

TEST_CASE("layers that were unpacked above an image are committed and built on") {
  if (!may_mount()) return;
  remote_bench all;
  all.prepare_all();
  all.bench.layer("mine", all.chain[1].oci(),
                  [](const auto& root) { std::ofstream(root / "mine") << "mine"; });
  const auto seen = all.bench.view_mounted("look", "mine");
  CHECK(std::filesystem::exists(seen / "of-the-image"));
  CHECK(std::filesystem::exists(seen / "mine"));
}

TEST_CASE("an image is forgotten when the last of its layers is removed") {
  remote_bench all;
  all.prepare_all();
  CHECK(all.bench.remove(all.chain[0].oci()).error_code() == code::FAILED_PRECONDITION);
  REQUIRE(all.bench.remove(all.chain[1].oci()).ok());
  CHECK(all.tries() == 0);
  REQUIRE(all.bench.remove(all.chain[0].oci()).ok());
  CHECK(eventually([&] { return !all.image_is_here(); }));
  CHECK(all.tries() == 1);
}

TEST_CASE("an image that cannot be forgotten while others arrive is forgotten once they are there") {
  remote_bench all;
  all.bench.options.mount_wait = all.bench.options.mount_retry = std::chrono::milliseconds(1);
  all.bench.restart();
  all.may_forget = false;
  all.prepare_all();
  all.remove_all();
  CHECK(eventually([&] { return all.tries() >= 6; }));
  CHECK(all.image_is_here());
  all.may_forget = true;
  CHECK(eventually([&] { return !all.image_is_here(); }));
}

TEST_CASE("an image that could not be forgotten is forgotten after a restart of the node") {
  remote_bench all;
  all.may_forget = false;
  all.prepare_all();
  all.remove_all();
  CHECK(eventually([&] { return all.tries() >= 1; }));
  all.bench.stop();
  CHECK(all.image_is_here());
  all.may_forget = true;
  all.bench.restart();
  CHECK(eventually([&] { return !all.image_is_here(); }));
}

TEST_CASE("a clean-up by containerd forgets what could not be forgotten before") {
  remote_bench all;
  all.bench.options.mount_retry = std::chrono::hours(1);
  all.bench.restart();
  all.may_forget = false;
  all.prepare_all();
  all.remove_all();
  CHECK(eventually([&] { return all.tries() == 1; }));
  all.may_forget = true;
  REQUIRE(all.bench.clean_up().ok());
  CHECK(eventually([&] { return !all.image_is_here(); }));
}

TEST_CASE("an image that snapshots need, or that others have asked for, is not asked to be forgotten") {
  remote_bench all;
  all.prepare_all();
  REQUIRE(all.bench.catalogue().put({.reference = "docker.io/library/other:1", .platform = "linux/amd64"}));
  all.bench.restart();
  REQUIRE(all.bench.clean_up().ok());
  CHECK(all.bench.stat(all.chain[1].oci()).ok());
  // As when a user pulls it.
  REQUIRE(all.bench.catalogue().hold_for_users({pinned, "linux/amd64"}));
  all.remove_all();
  REQUIRE(all.bench.clean_up().ok());
  all.bench.stop();
  CHECK(all.tries() == 0);
  CHECK(all.image_is_here());
}

TEST_CASE("an image that containerd wants again is not forgotten") {
  remote_bench all;
  all.bench.options.mount_retry = std::chrono::milliseconds(1);
  all.bench.restart();
  all.may_forget = false;
  all.prepare_all();
  all.remove_all();
  CHECK(eventually([&] { return all.tries() >= 1; }));
  all.prepare_all();
  all.may_forget = true;
  all.bench.restart();
  REQUIRE(all.bench.clean_up().ok());
  all.bench.stop();
  CHECK(all.image_is_here());
}

TEST_CASE("the usage of an image is what has arrived of it, and counts for its highest layer only") {
  remote_bench all;
  all.prepare_all();
  CHECK(all.used(all.chain[1].oci()) == remote_bench::usage(0, 0));
  all.arrive();
  CHECK(all.used(all.chain[1].oci()) == remote_bench::usage(5, 1));
  CHECK(all.used(all.chain[0].oci()) == remote_bench::usage(0, 0));
  REQUIRE(all.bench.remove(all.chain[1].oci()).ok());
  CHECK(all.used(all.chain[0].oci()) == remote_bench::usage(5, 1));
}

TEST_CASE("a damaged snapshot does not keep the others from being served, nor lose its files") {
  if (!may_mount()) return;
  remote_bench all;
  const auto write = [](const std::filesystem::path& root) { std::ofstream(root / "written") << "x"; };
  all.bench.layer("damaged", "", write);
  all.bench.layer("good", "", write);
  REQUIRE(all.bench.prepare("newest", "good").ok());
  const auto files = all.bench.snapshots_folder() / "3/fs";
  write(files);
  const auto folders = [&] {
    std::set<std::string> names;
    for (const auto& one : std::filesystem::directory_iterator(all.bench.snapshots_folder()))
      names.insert(one.path().filename().string());
    return names;
  };
  const auto before = folders();
  REQUIRE(before.size() == 3);
  all.bench.stop();
  for (const auto* name : {"damaged", "newest"})
    REQUIRE(all.bench.metadata().put({"snapshot"}, name, "no message"));
  all.bench.restart();
  CHECK(all.bench.stat("good").ok());
  CHECK(all.bench.stat("damaged").error_code() == code::NOT_FOUND);
  CHECK(all.bench.stat("newest").error_code() == code::NOT_FOUND);
  REQUIRE(all.bench.clean_up().ok());
  CHECK(folders() == before);
  REQUIRE(all.bench.prepare("new", "good").ok());  // in a folder of its own
  CHECK(folders().size() == 4);
  CHECK(std::filesystem::exists(files / "written"));
}

TEST_CASE("a snapshot that is not served is forgotten when a user says so, and its files are set aside") {
  remote_bench all;
  for (const auto* name : {"one", "base", "damaged"}) REQUIRE(all.bench.prepare(name).ok());
  REQUIRE(all.bench.commit("lost", "base").ok());
  REQUIRE(all.bench.prepare("above", "lost").ok());
  const auto folder = all.bench.snapshots_folder();
  for (const auto* id : {"3", "4"}) std::ofstream(folder / id / "fs" / "written") << "x";
  all.bench.stop();
  for (const auto* name : {"lost", "damaged"})
    REQUIRE(all.bench.metadata().put({"snapshot"}, name, "no message"));
  all.bench.restart();
  const auto notice = [&] {
    const std::lock_guard lock(all.root->mutex);
    return all.root->damage;
  };
  CHECK(eventually(
      [&] { return notice().find("firstlight layer rm 'snapshot damaged'") != std::string::npos; }));
  CHECK(all.bench.forget_record("one").error().code == errc::not_found);

  // Its record can be read, and says which folder is its own.
  const auto first = all.bench.forget_record("above").value();
  CHECK(first == folder / "dropped-1");
  CHECK(std::filesystem::exists(first / "4/fs/written"));
  CHECK(std::filesystem::exists(folder / "3/fs/written"));
  // Of the others either folder may be.
  const auto second = all.bench.forget_record("damaged").value();
  CHECK(second == folder / "dropped-2");
  CHECK(std::filesystem::exists(second / "3/fs/written"));
  CHECK(std::filesystem::exists(second / "2/fs"));
  CHECK(all.bench.forget_record("lost").value().empty());
  CHECK(eventually([&] { return notice().empty(); }));
  CHECK(all.bench.forget_record("lost").error().code == errc::not_found);

  REQUIRE(all.bench.clean_up().ok());
  all.bench.restart();
  REQUIRE(all.bench.clean_up().ok());
  CHECK(std::filesystem::exists(folder / "1/fs"));
  CHECK(std::filesystem::exists(first / "4/fs/written"));
  CHECK(std::filesystem::exists(second / "3/fs/written"));
  CHECK(all.bench.stat("one").ok());
  CHECK(all.bench.prepare("damaged").ok());
}

TEST_CASE("an image that only a damaged snapshot may need goes once that is forgotten") {
  remote_bench all;
  all.prepare_all();
  REQUIRE(all.bench.prepare("damaged").ok());
  all.bench.stop();
  REQUIRE(all.bench.metadata().put({"snapshot"}, "damaged", "no message"));
  all.bench.restart();
  all.remove_all();
  REQUIRE(all.bench.clean_up().ok());
  CHECK(all.tries() == 0);
  REQUIRE(all.bench.forget_record("damaged"));
  CHECK(eventually([&] { return all.tries() == 1; }));
}

TEST_CASE("the image below a container whose snapshot is not served stays mounted") {
  if (!may_mount()) return;
  remote_bench all;
  all.prepare_all();
  REQUIRE(all.bench.prepare("one", all.chain[1].oci()).ok());
  all.bench.stop();
  REQUIRE(all.bench.metadata().put({"snapshot"}, all.chain[1].oci(), "no message"));
  const auto looks = [&] { return all.root->count(admin_request(admin_list_request{}).index()); };
  const auto before = looks();
  all.bench.restart();
  CHECK(all.bench.stat("one").error_code() == code::NOT_FOUND);
  CHECK(eventually([&] { return looks() > before; }));
  REQUIRE(all.bench.clean_up().ok());
  CHECK(eventually([&] { return looks() > before + 1; }));
  all.bench.stop();
  CHECK(all.umounts() == 0);
}

TEST_CASE("a call that waits for the hub ends when the node stops") {
  remote_bench all;
  all.hub_answers = false;
  grpc::Status outcome;
  std::thread caller([&] { outcome = all.bench.prepare("extract-1", "", of_layer(all.chain[0])); });
  REQUIRE(eventually([&] { return all.pulls() == 1; }));
  all.bench.stop();
  caller.join();
  CHECK(outcome.error_code() == code::UNAVAILABLE);
}

}  // namespace firstlight
