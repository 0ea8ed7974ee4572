#include <future>
#include <latch>

#include "test/containerd/remote_bench.hpp"

/// Images that the labels of a snapshot name as clients of the stargz snapshotter do: `ctr-remote image
/// rpull` and BuildKit by what the user typed, without the manifest's digest; nerdctl by more.
namespace firstlight {
namespace {

const std::string tag = "host:5000/team/redis:7";

std::map<std::string, std::string> of_remote_layer(const digest& target, const std::string& image = tag) {
  const auto blob = id("packed");
  return {{"containerd.io/snapshot.ref", target.oci()},
          {"containerd.io/snapshot/remote/stargz.reference", image},
          {"containerd.io/snapshot/remote/stargz.digest", blob.oci()},
          {"containerd.io/snapshot/remote/stargz.layers", blob.oci() + "," + id("another").oci()},
          {"containerd.io/snapshot/remote/stargz.prefetch", "10485760"},
          {"containerd.io/snapshot/stargz/toc.digest", id("toc").oci()}};
}

/// As nerdctl 1 and 2 have them for a snapshotter that is called stargz.
std::map<std::string, std::string> of_nerdctl_layer(const digest& target) {
  const auto blob = id("packed");
  return {{"containerd.io/snapshot.ref", target.oci()},
          {"containerd.io/snapshot/cri.image-ref", tag},
          {"containerd.io/snapshot/cri.manifest-digest", manifest.oci()},
          {"containerd.io/snapshot/cri.layer-digest", blob.oci()},
          {"containerd.io/snapshot/cri.image-layers", blob.oci() + "," + id("another").oci()},
          {"containerd.io/snapshot/remote/stargz.prefetch", "10485760"},
          {"containerd.io/snapshot/remote/urls", ""},
          {"containerd.io/snapshot/remote/urls.0", ""}};
}

grpc::StatusCode prepared(remote_bench& all, const std::string& key, std::size_t layer,
                          const std::string& image = tag) {
  const auto parent = layer == 0 ? "" : all.chain[layer - 1].oci();
  return all.bench.prepare(key, parent, of_remote_layer(all.chain[layer], image)).error_code();
}

}  // namespace

TEST_CASE("the layers of an image that ctr-remote names are committed at once") {
  const bool with_digest = GENERATE(false, true);
  const auto said = with_digest ? tag + "@" + manifest.oci() : tag;
  CAPTURE(said);
  remote_bench all;
  for (std::size_t layer = 0; layer < 2; ++layer)
    CHECK(prepared(all, "extract-" + std::to_string(layer), layer, said) == code::ALREADY_EXISTS);
  CHECK(all.found(all.chain[1], all.chain[0].oci()) == std::vector<std::string>{all.chain[1].oci()});
  CHECK(all.news(2).remote == 2);
  CHECK(all.news(2).fallbacks == 0);
  CHECK(all.pulls() == 1);
  const std::lock_guard lock(all.root->mutex);
  const auto* pull = std::get_if<admin_pull>(&all.root->requests.back());
  REQUIRE(pull != nullptr);
  CHECK(pull->reference == (with_digest ? "host:5000/team/redis@" + manifest.oci() : tag));
}

TEST_CASE("the layers of an image that nerdctl names are committed at once") {
  remote_bench all;
  CHECK(all.bench.prepare("extract-1", "", of_nerdctl_layer(all.chain[0])).error_code() ==
        code::ALREADY_EXISTS);
  CHECK(all.bench.prepare("extract-2", all.chain[0].oci(), of_nerdctl_layer(all.chain[1])).error_code() ==
        code::ALREADY_EXISTS);
  CHECK(all.news(2).remote == 2);
  CHECK(all.pulls() == 1);
  const std::lock_guard lock(all.root->mutex);
  const auto* pull = std::get_if<admin_pull>(&all.root->requests.back());
  REQUIRE(pull != nullptr);
  CHECK(pull->reference == "host:5000/team/redis@" + manifest.oci());
}

TEST_CASE("many that prepare the layers of an image at once are one question to the hub") {
  constexpr std::ptrdiff_t pulls = 8;
  std::latch begun(pulls);
  remote_bench all;
  {
    const std::lock_guard lock(all.root->mutex);
    all.root->answers = [&](const admin_request& request) {
      begun.wait();
      return all.answer(request);
    };
  }
  std::vector<std::future<std::vector<grpc::StatusCode>>> done;
  for (std::ptrdiff_t pull = 0; pull < pulls; ++pull)
    done.push_back(std::async(std::launch::async, [&, key = std::to_string(pull)] {
      begun.count_down();
      return std::vector{prepared(all, "extract-1-" + key, 0), prepared(all, "extract-2-" + key, 1)};
    }));
  for (auto& codes : done) CHECK(codes.get() == std::vector{code::ALREADY_EXISTS, code::ALREADY_EXISTS});
  CHECK(all.pulls() == 1);
  CHECK(all.news(2).prepared == 2);
}

TEST_CASE("a tag that has moved brings the layers of its new image, above those that both have") {
  remote_bench all;
  CHECK(prepared(all, "extract-1", 0) == code::ALREADY_EXISTS);
  CHECK(prepared(all, "extract-2", 1) == code::ALREADY_EXISTS);
  {
    const std::lock_guard lock(all.root->mutex);
    all.layers[1] = id("layer 2 of the next version");
    all.chain = chain_ids(all.layers);
    all.image = id("manifest of the next version");
  }
  CHECK(prepared(all, "extract-3", 0) == code::ALREADY_EXISTS);
  CHECK(all.pulls() == 1);
  CHECK(prepared(all, "extract-4", 1) == code::ALREADY_EXISTS);
  CHECK(all.pulls() == 2);
  CHECK(all.news(3).remote == 3);
  CHECK(all.news(3).fallbacks == 0);
}

TEST_CASE("a layer that the hub's image of that tag does not have is containerd's to download") {
  remote_bench all;
  CHECK(prepared(all, "extract-1", 0) == code::ALREADY_EXISTS);
  REQUIRE(all.bench.prepare("extract-2", "", of_remote_layer(id("of the registry's newer image"))).ok());
  CHECK(all.news(2).fallbacks == 1);
}

}  // namespace firstlight
