#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "storage/chain_ids.hpp"
#include "storage/sha256.hpp"
#include "test/containerd/snapshots_bench.hpp"
#include "test/harness/eventually.hpp"

/// Layers that containerd need not download.
namespace firstlight {
namespace {

using code = grpc::StatusCode;
using labels = std::map<std::string, std::string>;

digest id(std::string_view text) {
  return sha256(std::as_bytes(std::span(text)));
}

const digest manifest = id("manifest");
const std::string pinned = "docker.io/library/redis@" + manifest.oci();

labels of_layer(const digest& target, const std::string& image = "redis:7") {
  return {{"containerd.io/snapshot.ref", target.oci()},
          {"containerd.io/snapshot/cri.image-ref", image},
          {"containerd.io/snapshot/cri.manifest-digest", manifest.oci()}};
}

/// A node whose hub knows one image of two layers.
struct remote_bench {
  std::vector<digest> layers{id("layer 1"), id("layer 2")};
  std::vector<digest> chain = chain_ids(layers);
  std::shared_ptr<fake_root> root = std::make_shared<fake_root>();
  snapshots_bench bench{root};
  std::atomic<bool> hub_answers{true};

  remote_bench() {
    root->answers = [this](const admin_request& request) { return answer(request); };
  }

  std::optional<result<admin_reply>> answer(const admin_request& request) {
    if (const auto* pull = std::get_if<admin_pull>(&request)) {
      if (!hub_answers) return std::nullopt;
      return keep(*pull);
    }
    if (const auto* mount = std::get_if<admin_mount_request>(&request)) return show(*mount);
    if (const auto* umount = std::get_if<admin_umount>(&request)) {
      umount2((bench.folder() / "run/images" / umount->mount).c_str(), MNT_DETACH);
      return admin_reply(admin_done{});
    }
    if (std::holds_alternative<admin_evict>(request)) return admin_reply(admin_evicted{});
    return admin_reply(admin_listing{});
  }

  /// What a pull leaves in the catalogue.
  result<admin_reply> keep(const admin_pull& pull) {
    const std::string config =
        R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[")" + layers[0].oci() +
        R"(",")" + layers[1].oci() + R"("]}})";
    const image_tree tree{
        .inodes = {{.type = file_type::directory, .permissions = 0755, .links = 2, .size = 4096}},
        .directories = {{}},
        .contents = {}};
    const auto toc = make_toc({.manifest_digest = manifest, .config_json = config}, tree);
    if (!toc) return tl::unexpected(toc.error());
    if (auto stored = bench.catalogue().store_toc(*toc); !stored) return tl::unexpected(stored.error());
    image_record record{.reference = pull.reference, .platform = pull.platform, .source = pull.reference};
    record.toc = toc->id;
    record.manifest_digest = manifest;
    if (auto put = bench.catalogue().put(record); !put) return tl::unexpected(put.error());
    return admin_reply(admin_pulled{.image = {.reference = pull.reference, .platform = pull.platform}});
  }

  /// A mount that is none of FUSE, but one.
  static result<admin_reply> show(const admin_mount_request& asked) {
    std::filesystem::create_directories(asked.target);
    if (mount("image", asked.target.c_str(), "tmpfs", 0, nullptr) != 0) return fail(errc::io, "tmpfs");
    std::ofstream(asked.target + "/of-the-image") << asked.reference;
    return admin_reply(
        admin_mounted{.mount = {.name = asked.name, .target = asked.target, .lower = asked.target}});
  }

  std::size_t pulls() { return root->count(admin_request(admin_pull{}).index()); }
  std::size_t mounts() { return root->count(admin_request(admin_mount_request{}).index()); }
  std::size_t umounts() { return root->count(admin_request(admin_umount{}).index()); }
  std::size_t evictions() { return root->count(admin_request(admin_evict{}).index()); }

  /// What the node has said of its snapshots when it has told of that many.
  admin_snapshots news(std::uint32_t count) {
    admin_snapshots said;
    CHECK(eventually([&] {
      const std::lock_guard lock(root->mutex);
      said = root->news;
      return said.count == count;
    }));
    return said;
  }

  void prepare_all() {
    CHECK(bench.prepare("extract-1", "", of_layer(chain[0])).error_code() == code::ALREADY_EXISTS);
    CHECK(bench.prepare("extract-2", chain[0].oci(), of_layer(chain[1])).error_code() ==
          code::ALREADY_EXISTS);
  }
};

bool may_mount() {
  const bool may = geteuid() == 0;
  if (!may) WARN("SKIPPED: mounting needs root");
  return may;
}

}  // namespace

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
  // As containerd looks for what it was told to exist.
  std::vector<std::string> found;
  REQUIRE(all.bench
              .list({R"(labels."containerd.io/snapshot.ref"==)" + all.chain[1].oci() + R"(,parent==")" +
                     all.chain[0].oci() + "\""},
                    &found)
              .ok());
  CHECK(found == std::vector<std::string>{all.chain[1].oci()});
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

TEST_CASE("a layer of the hub that is there above another parent is not what containerd asks for") {
  remote_bench all;
  all.prepare_all();
  REQUIRE(all.bench.prepare("making").ok());
  REQUIRE(all.bench.commit("ns/7/unrelated", "making").ok());
  const auto parents = std::vector<std::string>{"ns/7/unrelated", ""};
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
  REQUIRE(all.bench.prepare("extract-1", "", of_layer(all.chain[0])).ok());
  CHECK(all.bench.stat("extract-1").ok());
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
    return all.root->starts;
  };
  all.prepare_all();
  const auto top = all.chain[1].oci();
  REQUIRE(all.bench.view("look", top).ok());
  REQUIRE(all.bench.prepare("a layer on top", top, {{"containerd.io/snapshot.ref", id("x").oci()}}).ok());
  REQUIRE(all.bench.prepare("of no image").ok());
  REQUIRE(all.bench.prepare("one", top).ok());
  CHECK(eventually([&] { return starts() == 1; }));
  REQUIRE(all.bench.prepare("two", top).ok());
  CHECK(eventually([&] { return starts() == 2; }));
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
  CHECK(all.evictions() == 0);
  REQUIRE(all.bench.remove(all.chain[0].oci()).ok());
  CHECK(eventually([&] { return all.evictions() == 1; }));
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
