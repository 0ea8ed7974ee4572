#include "model/labelled_layer.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

const std::string hex(64, 'a');
const auto manifest = parse_hex_digest(hex).value();

}  // namespace

TEST_CASE("the labels of containerd's CRI service name a layer and its image by digest") {
  const auto layer = labelled_layer_of({{"containerd.io/snapshot.ref", "sha256:chain"},
                                        {"containerd.io/snapshot/cri.image-ref", "docker.io/library/redis:7"},
                                        {"containerd.io/snapshot/cri.manifest-digest", "sha256:" + hex},
                                        {"containerd.io/snapshot/cri.layer-digest", "sha256:" + hex}});
  REQUIRE(layer);
  CHECK(layer->target == "sha256:chain");
  CHECK(layer->reference == "docker.io/library/redis@sha256:" + hex);
  CHECK(layer->manifest == manifest);
}

TEST_CASE("an image is named by a tag where nothing says its digest") {
  const auto layer = labelled_layer_of({{"containerd.io/snapshot.ref", "sha256:chain"},
                                        {"containerd.io/snapshot/remote/stargz.reference", "host:5000/a:1"}});
  REQUIRE(layer);
  CHECK(layer->reference == "host:5000/a:1");
  CHECK_FALSE(layer->manifest);
}

TEST_CASE(
    "the labels of clients of the stargz snapshotter name a layer and its image, old and new ones together") {
  const auto digest = "sha256:" + hex;
  const auto layer = labelled_layer_of({{"containerd.io/snapshot.ref", "sha256:chain"},
                                        {"containerd.io/snapshot/cri.image-ref", "docker.io/library/redis:7"},
                                        {"containerd.io/snapshot/cri.manifest-digest", digest},
                                        {"containerd.io/snapshot/cri.layer-digest", digest},
                                        {"containerd.io/snapshot/cri.image-layers", digest + "," + digest},
                                        {"containerd.io/snapshot/remote/stargz.reference", "redis:7"},
                                        {"containerd.io/snapshot/remote/stargz.digest", digest},
                                        {"containerd.io/snapshot/remote/stargz.layers", digest},
                                        {"containerd.io/snapshot/remote/stargz.prefetch", "10485760"},
                                        {"containerd.io/snapshot/remote/urls", ""}});
  REQUIRE(layer);
  CHECK(layer->target == "sha256:chain");
  CHECK(layer->reference == "docker.io/library/redis@sha256:" + hex);
}

TEST_CASE("a reference that is pinned needs no further digest") {
  const auto layer =
      labelled_layer_of({{"containerd.io/snapshot.ref", "x"},
                         {"containerd.io/snapshot/cri.image-ref", "host:5000/a@sha256:" + hex}});
  REQUIRE(layer);
  CHECK(layer->manifest == manifest);
}

TEST_CASE("our own labels say the same and come first") {
  const labelled_layer said{"sha256:chain", "docker.io/library/redis@sha256:" + hex, manifest};
  auto labels = labels_of(said);
  labels["containerd.io/snapshot/cri.image-ref"] = "other:1";
  const auto read = labelled_layer_of(labels);
  REQUIRE(read);
  CHECK(read->reference == said.reference);
  CHECK(read->target == said.target);
}

TEST_CASE("snapshots that are not for a layer of a registry's image are not labelled") {
  CHECK_FALSE(labelled_layer_of({}));
  CHECK_FALSE(labelled_layer_of({{"containerd.io/snapshot.ref", "x"}}));
  CHECK_FALSE(labelled_layer_of({{"containerd.io/snapshot/cri.image-ref", "a"}}));
  for (const auto* odd : {"", "no reference", "oci:/images/redis", "a:b:c:d"})
    CHECK_FALSE(labelled_layer_of(
        {{"containerd.io/snapshot.ref", "x"}, {"containerd.io/snapshot/cri.image-ref", odd}}));
}

TEST_CASE("the names of snapshots tell which chain of layers they show") {
  snapshot_record unpacked{.name = "k8s.io/12/sha256:aa", .kind = snapshot_kind::committed};
  CHECK(is_called(unpacked, "sha256:aa"));
  CHECK_FALSE(is_called(unpacked, "sha256:a"));
  CHECK_FALSE(is_called(unpacked, "aa"));
  unpacked.name = "sha256:aa~3";
  CHECK_FALSE(is_called(unpacked, "sha256:aa"));
  auto remote = unpacked;
  remote.remote = remote_layers{"r", {}, "linux/amd64", 1, 1};
  CHECK(is_called(remote, "sha256:aa"));
  CHECK_FALSE(is_called(remote, "sha256:a"));
  remote.name = "sha256:aa";
  CHECK(is_called(remote, "sha256:aa"));
  CHECK_FALSE(is_called(remote, "sha256:bb"));
}

TEST_CASE("a snapshot's label names the group of its start") {
  CHECK(start_group_of({{"containerd.io/snapshot/firstlight.group", "shop"}}) == "shop");
  CHECK(start_group_of({{"containerd.io/snapshot.ref", "x"}}).empty());
}
