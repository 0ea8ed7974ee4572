#include <catch2/catch.hpp>

#include "actors/node/node_root.hpp"
#include "schemas/admin.hpp"
#include "test/harness/node/actor_stage.hpp"
#include "test/harness/node/small_stores.hpp"

/// Pulls of a node's root whose clients give up.
using namespace firstlight;

namespace {

const std::string image = "example.com/app:1";

progress_listener make_client(actor_stage& stage) {
  return stage.keep(stage.system().spawn(
      []() -> progress_listener::behavior_type { return {[](const admin_message&) {}}; }));
}

/// A node's root with real stores and a hub that answers nothing.
struct root_bench {
  test_authority authority;
  node_stores node{authority};
  std::unique_ptr<layer_registry> layers =
      layer_registry::open(node.folder.path(), *node.metadata, {}).value();
  trace_switches switches{*node.metadata};
  std::shared_ptr<fake_hub_link> link = std::make_shared<fake_hub_link>();
  actor_stage stage;
  hub_link far = make_fake_hub_link(stage, link);
  node_root root;

  root_bench() {
    root = stage.keep(stage.system().spawn(make_node_root,
                                           node_root_tools{.catalogue = *node.catalogue,
                                                           .contents = *node.contents,
                                                           .layers = *layers,
                                                           .layer_store = {},
                                                           .authority = node.anchor,
                                                           .link = far,
                                                           .switches = switches,
                                                           .collector = {},
                                                           .recording = {},
                                                           .mounts = {},
                                                           .workers = stage.workers(),
                                                           .keepers = stage.workers(),
                                                           .loaders = stage.workers(),
                                                           .stop = {},
                                                           .receiver = node.limits,
                                                           .limits = {},
                                                           .run_folder = node.folder.path() / "run",
                                                           .mode = "auto",
                                                           .home = host_platform(),
                                                           .version = "1",
                                                           .name = "node"},
                                           std::vector<left_mount>{}));
  }
  ~root_bench() {
    link->pulls.clear();
    link->joining.clear();
    link->self = nullptr;
    root = nullptr;
    far = nullptr;
  }

  void pull(const progress_listener& client) {
    stage.ask<admin_message>(
        root,
        admin_message{encode(admin_request(admin_pull{.reference = image, .until = pull_until::mountable}))},
        client);
    stage.run();
  }
  void give_up(const progress_listener& client) {
    caf::anon_send(root, pull_given_up{image, {}, client.address()});
    stage.run();
  }
  /// Whether the receiver of the first pull has ended: the link to the hub cancels its delivery then.
  [[nodiscard]] std::shared_ptr<bool> end_of_delivery() const {
    auto ended = std::make_shared<bool>(false);
    link->pulls.at(0).to->attach_functor([ended] { *ended = true; });
    return ended;
  }
};

}  // namespace

TEST_CASE("a delivery ends when the only one who asked for it gives up") {
  root_bench all;
  const auto client = make_client(all.stage);
  all.pull(client);
  REQUIRE(all.link->pulls.size() == 1);
  const auto ended = all.end_of_delivery();
  all.give_up(client);
  CHECK(*ended);
  all.pull(client);
  CHECK(all.link->pulls.size() == 2);  // anew
}

TEST_CASE("a delivery goes on when somebody else has asked for it too") {
  root_bench all;
  const auto client = make_client(all.stage);
  all.pull(client);
  const auto ended = all.end_of_delivery();
  all.pull(make_client(all.stage));
  all.give_up(client);
  CHECK_FALSE(*ended);
}

TEST_CASE("a delivery that another one asked for first does not end with who joined it") {
  root_bench all;
  const auto client = make_client(all.stage);
  all.pull(make_client(all.stage));
  const auto ended = all.end_of_delivery();
  all.pull(client);
  all.give_up(client);
  CHECK_FALSE(*ended);
  CHECK(all.link->pulls.size() == 1);
}
