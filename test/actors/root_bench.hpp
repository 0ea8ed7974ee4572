#pragma once
#include <catch2/catch.hpp>

#include "actors/node/layer_store.hpp"
#include "actors/node/node_root.hpp"
#include "actors/node/snapshotter.hpp"
#include "schemas/admin.hpp"
#include "test/harness/node/actor_stage.hpp"
#include "test/harness/node/small_stores.hpp"

namespace firstlight {

enum class asker : std::uint8_t { user, containerd };

inline progress_listener make_client(actor_stage& stage) {
  return stage.keep(stage.system().spawn(
      []() -> progress_listener::behavior_type { return {[](const admin_message&) {}}; }));
}

/// A bridge without a file system.
inline fuse_bridge make_idle_bridge(actor_stage& stage) {
  return stage.keep(stage.system().spawn([]() -> fuse_bridge::behavior_type {
    return {[](const reads_released&) {}, [](read_interrupted) {}, [](contents_known) {},
            [](image_complete) {}, [](unmount_request) { return unmounted{}; }};
  }));
}

/// A node's root on real stores that mounts nothing and has no layers.
inline node_root_tools plain_root_tools(actor_stage& stage, node_stores& node, layer_registry& layers,
                                        trace_switches& switches, const hub_link& link) {
  return {.catalogue = *node.catalogue,
          .contents = *node.contents,
          .layers = layers,
          .layer_store = {},
          .authority = node.anchor,
          .link = link,
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
          .name = "node"};
}

/// What a command gets.
template <class Reply, class Request>
result<Reply> ask_root(actor_stage& stage, const node_root& root, const Request& request) {
  const auto answer =
      stage.ask<admin_message>(root, admin_message{encode(admin_request(request))}, make_client(stage));
  stage.run();
  REQUIRE(*answer);
  if (!**answer) return tl::unexpected((**answer).error());
  return std::get<Reply>(decode_admin_reply((***answer).bytes.bytes).value());
}

/// A node's root with real stores and a hub that answers nothing. What it is asked for is one image, by name.
struct root_bench {
  static inline const std::string image = "example.com/app:1";
  test_authority authority;
  node_stores node{authority};
  std::unique_ptr<layer_registry> layers;
  trace_switches switches{*node.metadata};
  std::shared_ptr<fake_hub_link> link = std::make_shared<fake_hub_link>();
  actor_stage stage;
  hub_link far = make_fake_hub_link(stage, link);
  layer_store store;
  node_root root;
  catalogue_name name{image, host_platform().text()};

  /// `before`: what an earlier process has left in the stores.
  explicit root_bench(const std::function<void(node_stores&)>& before = {},
                      std::uint64_t store_bytes_max = 0) {
    if (before) before(node);
    layers = layer_registry::open(node.folder.path(), *node.metadata, {}).value();
    store = stage.keep(stage.system().spawn(
        make_layer_store, layer_store_tools{layers.get(), [] { return std::int64_t{100}; }}));
    auto tools = plain_root_tools(stage, node, *layers, switches, far);
    tools.layer_store = store;
    tools.store_bytes_max = store_bytes_max;
    root = stage.keep(stage.system().spawn(make_node_root, std::move(tools), std::vector<left_mount>{}));
  }
  ~root_bench() {
    link->pulls.clear();
    link->joining.clear();
    link->self = nullptr;
    root = nullptr;
    store = nullptr;
    far = nullptr;
  }

  /// @returns the answer, which may come later
  actor_stage::answer<admin_message> pull(const progress_listener& client, asker by = asker::user) {
    const admin_pull request{
        .reference = image, .until = pull_until::mountable, .for_containerd = by == asker::containerd};
    auto answer = stage.ask<admin_message>(root, admin_message{encode(admin_request(request))}, client);
    stage.run();
    return answer;
  }
  /// The latest delivery fails: that is what a hub says that cannot now, and a link that is away.
  void refuse_delivery() {
    link->act([&] { link->pulls.back().answer.deliver(to_caf({errc::unavailable, "no link to the hub"})); });
  }
  template <class Reply, class Request>
  result<Reply> admin(const Request& request) {
    return ask_root<Reply>(stage, root, request);
  }
  /// Whether `status` says that.
  bool has_notice(const std::string& text) {
    const auto notices = admin<admin_node_status>(admin_node_status_request{}).value().notices;
    return std::any_of(notices.begin(), notices.end(),
                       [&](const std::string& notice) { return notice.find(text) != std::string::npos; });
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
  void damage_record() {
    REQUIRE(node.metadata->put({"image"}, name.reference + '\0' + name.platform, "no message"));
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

/// From then on the root serves snapshots, too.
inline void serve_snapshots(root_bench& all) {
  const auto folder = all.node.folder.path();
  const snapshotter made = all.stage.keep(all.stage.system().spawn(
      make_snapshotter, std::make_shared<snapshotter_tools>(
                            snapshotter_tools{.records = snapshot_records::open(*all.node.metadata).value(),
                                              .folders = snapshot_folders(folder / "snapshots"),
                                              .catalogue = *all.node.catalogue,
                                              .contents = *all.node.contents,
                                              .root = caf::actor_cast<admin_service>(all.root),
                                              .news_to = caf::actor_cast<caf::actor>(all.root),
                                              .workers = all.stage.workers(),
                                              .platform = all.name.platform,
                                              .options = {},
                                              .images_folder = folder / "run" / "images",
                                              .now_ns = [] { return std::int64_t{1}; }})));
  caf::anon_send(all.root, made);
  all.stage.run();
}

}  // namespace firstlight
