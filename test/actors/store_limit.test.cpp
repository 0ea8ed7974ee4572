#include "test/actors/kept_image.hpp"
#include "test/actors/root_bench.hpp"

/// What a node's root keeps of a store that is above its limit.
using namespace firstlight;

namespace {

/// A node that serves containerd, with one image more than its store may have.
struct limit_bench {
  root_bench all{{}, 1};
  kept_image of_containerd;
  kept_image of_both;
  kept_image of_users;

  limit_bench() {
    serve_snapshots(all);
    of_containerd = keep_image(all.node, "example.com/containerd:1", {"containerd"}, 1);
    REQUIRE(all.node.catalogue->hold_for_containerd(of_containerd.name));
    of_both = keep_image(all.node, "example.com/both:1", {"both"}, 1);
    of_users = keep_image(all.node, "example.com/users:1", {"users"}, 1);
    tell_manifests({of_containerd.manifest, of_both.manifest, of_users.manifest});
  }
  /// Of which images there are snapshots.
  void tell_manifests(const std::set<digest>& manifests) {
    caf::anon_send(
        all.root, snapshot_news{.now = {}, .manifests = std::make_shared<const std::set<digest>>(manifests)});
    all.stage.run();
  }
  bool is_here(const kept_image& image) { return is_known(all.node, image) && has_file(all.node, image, 0); }
};

}  // namespace

TEST_CASE("a store above its limit keeps what containerd has snapshots of, and status says what helps") {
  limit_bench bench;
  const std::string help = "remove images in containerd";
  CHECK(bench.is_here(bench.of_users));
  bench.tell_manifests({bench.of_containerd.manifest, bench.of_both.manifest});
  CHECK_FALSE(bench.is_here(bench.of_users));
  CHECK(bench.is_here(bench.of_both));
  CHECK(bench.is_here(bench.of_containerd));
  CHECK(bench.all.has_notice(help));
  bench.tell_manifests({bench.of_containerd.manifest});
  CHECK_FALSE(bench.is_here(bench.of_both));
  // It goes when its snapshotter says so.
  bench.tell_manifests({});
  CHECK(bench.is_here(bench.of_containerd));
  const auto& name = bench.of_containerd.name;
  const auto gone =
      bench.all.stage.ask<image_forgotten>(bench.all.root, forget_image{name.reference, name.platform});
  bench.all.stage.run();
  REQUIRE(*gone);
  CHECK((*gone)->value().bytes == 10);
  CHECK_FALSE(bench.all.has_notice(help));
}

TEST_CASE("a user evicts also what containerd has snapshots of") {
  limit_bench bench;
  const auto& name = bench.of_both.name;
  CHECK(bench.all.admin<admin_evicted>(admin_evict{.reference = name.reference}));
  CHECK_FALSE(bench.is_here(bench.of_both));
}

TEST_CASE("an image goes that containerd gives up as it takes its first snapshot of another") {
  limit_bench bench;
  bench.tell_manifests({bench.of_containerd.manifest, bench.of_users.manifest, digest{}});
  CHECK_FALSE(bench.is_here(bench.of_both));
  CHECK(bench.is_here(bench.of_users));
}
