#include "actors/hub/prepare_delivery.hpp"
#include "test/actors/kept_image.hpp"
#include "test/actors/root_bench.hpp"

/// What becomes on a node of the version that a tag meant before.
using namespace firstlight;

namespace {

/// A hub whose tag moves, and what a node keeps of it.
struct versions_bench {
  test_authority authority;
  hub_stores hub{authority};
  node_stores node{authority};
  wanted_image wanted{"example.com/app:1", host_platform().text()};
  std::vector<version_replaced> replaced;

  /// @returns the version's name by digest
  std::string keep(std::uint32_t version, former_versions former) {
    const auto image = hub.add(wanted.reference, some_layer(version));
    const pull_request pull{0, wanted.reference, wanted.platform, {}, std::nullopt};
    const auto frames = prepare_toc(hub.preparation(), image, pull, 1'700'000'000).value();
    auto tools = node.tools();
    tools.former = former;
    tools.replaced = [this](const version_replaced& news) { replaced.push_back(news); };
    REQUIRE(open_received_tree(tools, wanted, frames.at(0)));
    return "example.com/app@" + image.record.manifest_digest.oci();
  }
  [[nodiscard]] std::optional<image_record> find(const std::string& reference) const {
    return node.catalogue->find(reference, wanted.platform).value();
  }
  [[nodiscard]] bool is_held(const std::string& reference) const {
    return node.catalogue->is_held_for_containerd({reference, wanted.platform}).value();
  }
};

/// A node's root whose store has the former version of an image, held for containerd.
struct former_bench {
  kept_image former;
  root_bench all{[this](node_stores& node) {
    former = keep_image(node, "example.com/app@" + digest{}.oci(), {"old"}, 1);
    REQUIRE(node.catalogue->hold_for_containerd(former.name));
  }};

  void tell_replaced() { caf::anon_send(all.root, version_replaced{former.name}); }
  void tell_manifests(const std::set<digest>& manifests) {
    caf::anon_send(
        all.root, snapshot_news{.now = {}, .manifests = std::make_shared<const std::set<digest>>(manifests)});
    all.stage.run();
  }
};

}  // namespace

TEST_CASE("where containers may need it, the former version of a tag stays under its digest") {
  versions_bench bench;
  const auto first = bench.keep(1, former_versions::pinned);
  CHECK(bench.replaced.empty());
  const auto toc = bench.find(bench.wanted.reference)->toc;
  SECTION("as containerd's") {
    bench.keep(2, former_versions::pinned);
    REQUIRE(bench.find(first));
    CHECK(bench.find(first)->toc == toc);
    CHECK(bench.find(bench.wanted.reference)->toc != toc);
    CHECK(bench.is_held(first));
    REQUIRE(bench.replaced.size() == 1);
    CHECK(bench.replaced[0].former == catalogue_name{first, bench.wanted.platform});
  }
  SECTION("as a user's who has asked for it") {
    auto record = *bench.find(bench.wanted.reference);
    record.reference = first;
    REQUIRE(bench.node.catalogue->put(record));
    bench.keep(2, former_versions::pinned);
    CHECK_FALSE(bench.is_held(first));
    REQUIRE(bench.replaced.size() == 1);
    CHECK(bench.replaced[0].former.reference.empty());
  }
  SECTION("elsewhere it does not") {
    bench.keep(2, former_versions::forgotten);
    CHECK_FALSE(bench.find(first));
    REQUIRE(bench.replaced.size() == 1);
    CHECK(bench.replaced[0].former.reference.empty());
  }
}

TEST_CASE("what a tag meant before goes from a node once a new version is there, without a limit") {
  kept_image before;
  kept_image now;
  root_bench all([&](node_stores& node) {
    before = keep_image(node, root_bench::image, {"shared", "old"}, 2);
    now = keep_image(node, root_bench::image, {"shared", "new"}, 2);
  });
  all.stage.run();
  CHECK(has_file(all.node, before, 1));
  SECTION("at once") {
    caf::anon_send(all.root, version_replaced{});
    caf::anon_send(all.root, snapshot_news{});  // as any other occasion
    all.stage.run();
    CHECK_FALSE(has_file(all.node, before, 1));
    CHECK(all.node.contents->bytes_stored() == 9);
  }
  SECTION("or when something is evicted") {
    CHECK(all.admin<admin_evicted>(admin_evict{}).value().bytes == 12);
    CHECK(all.node.contents->bytes_stored() == 0);
  }
}

TEST_CASE("a pull that brings the same version replaces nothing") {
  versions_bench bench;
  const auto first = bench.keep(1, former_versions::pinned);
  CHECK(bench.keep(1, former_versions::pinned) == first);
  CHECK(bench.replaced.empty());
  CHECK(bench.node.catalogue->list().value().size() == 1);
}

TEST_CASE("a former version goes when containerd has no snapshot of it") {
  former_bench bench;
  bench.tell_replaced();
  SECTION("any more") {
    bench.tell_manifests({bench.former.manifest});
    CHECK(is_known(bench.all.node, bench.former));
    CHECK(has_file(bench.all.node, bench.former, 0));
    bench.tell_manifests({});
    bench.all.stage.run();
    // From then on it is the snapshotter that has it forgotten.
    CHECK(is_known(bench.all.node, bench.former));
  }
  SECTION("from the start on") {
    bench.tell_manifests({});
    CHECK_FALSE(is_known(bench.all.node, bench.former));
  }
  SECTION("unless a user has asked for it") {
    REQUIRE(bench.all.node.catalogue->hold_for_users(bench.former.name));
    bench.tell_manifests({});
    CHECK(is_known(bench.all.node, bench.former));
  }
}
