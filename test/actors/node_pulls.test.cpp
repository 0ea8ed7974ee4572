#include <catch2/catch.hpp>

#include "actors/node/node_root.hpp"
#include "schemas/admin.hpp"
#include "test/harness/node/actor_stage.hpp"
#include "test/harness/node/small_stores.hpp"

/// Pulls of a node's root whose clients give up, and images that containerd gives up.
using namespace firstlight;

namespace {

const std::string image = "example.com/app:1";

enum class asker : std::uint8_t { user, containerd };

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
  catalogue_name name{image, host_platform().text()};

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

  void pull(const progress_listener& client, asker by = asker::user) {
    const admin_pull request{
        .reference = image, .until = pull_until::mountable, .for_containerd = by == asker::containerd};
    stage.ask<admin_message>(root, admin_message{encode(admin_request(request))}, client);
    stage.run();
  }
  result<image_forgotten> forget() {
    const auto answer = stage.ask<image_forgotten>(root, forget_image{name.reference, name.platform});
    stage.run();
    REQUIRE(*answer);
    return **answer;
  }
  [[nodiscard]] bool is_held() const { return node.catalogue->is_held_for_containerd(name).value(); }
  [[nodiscard]] bool is_here() const {
    return node.catalogue->find(name.reference, name.platform).value().has_value();
  }
  /// As when it has arrived.
  void put_record() {
    REQUIRE(node.catalogue->put({.reference = name.reference, .platform = name.platform, .complete = true}));
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

TEST_CASE("an image that nobody but containerd has asked for is containerd's") {
  root_bench all;
  const auto user = make_client(all.stage);
  SECTION("until a user asks for it too") {
    all.pull(make_client(all.stage), asker::containerd);
    CHECK(all.is_held());
    all.pull(user);
    CHECK_FALSE(all.is_held());
  }
  SECTION("but not while it arrives for a user") {
    all.pull(user);
    all.pull(make_client(all.stage), asker::containerd);
    CHECK_FALSE(all.is_held());
  }
  SECTION("nor if it is here for a user") {
    all.put_record();
    all.pull(make_client(all.stage), asker::containerd);
    CHECK_FALSE(all.is_held());
  }
}

TEST_CASE("an image that containerd gives up is forgotten, but for what users have asked for") {
  root_bench all;
  all.put_record();
  CHECK(all.forget().error().code == errc::failed_precondition);
  CHECK(all.is_here());
  REQUIRE(all.node.catalogue->hold_for_containerd(all.name));
  CHECK(all.forget());
  CHECK_FALSE(all.is_here());
  CHECK_FALSE(all.is_held());
}

TEST_CASE("an image that is arriving is not forgotten, one that never came is not containerd's any more") {
  root_bench all;
  const auto client = make_client(all.stage);
  all.pull(client, asker::containerd);
  CHECK(all.forget().error().code == errc::busy);
  CHECK(all.is_held());
  all.give_up(client);
  CHECK(all.forget().error().code == errc::not_found);
  CHECK_FALSE(all.is_held());
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
