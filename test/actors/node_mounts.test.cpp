#include "actors/errors.hpp"
#include "actors/node/instance.hpp"
#include "test/actors/root_bench.hpp"
#include "test/harness/node/test_image.hpp"

/// Mounts of a node's root whose bridges fail.
using namespace firstlight;

namespace {

/// What a mount became, and why not a better one.
struct outcome_of_mounting {
  mount_mode mode = mount_mode::hybrid;
  std::string fallback;
};

/// What is asked of the mounter about mounts that have failed, and its answers.
struct failed_side {
  std::vector<busy_mount> asked{};
  std::function<result<void>(const unmount_failed&)> answer{};
};

mounter make_mounter(actor_stage& stage, const instance& mount, const outcome_of_mounting& outcome,
                     const std::shared_ptr<failed_side>& failed) {
  return stage.keep(stage.system().spawn([=]() -> mounter::behavior_type {
    return {[=](const mount_request&) {
              return mounted{mount, outcome.mode, {}, outcome.fallback};
            },
            [=](const unmount_failed& what) -> caf::result<unmounted> {
              failed->asked.push_back(what.when_busy);
              if (const auto gone = failed->answer(what); !gone) return to_caf(gone.error());
              return unmounted{};
            }};
  }));
}

/// A node's root that has one mount of an empty image, with a writable layer that goes with the mount.
struct mount_bench {
  test_authority authority;
  node_stores node{authority};
  std::unique_ptr<layer_registry> layers =
      layer_registry::open(node.folder.path(), *node.metadata, {}).value();
  trace_switches switches{*node.metadata};
  std::filesystem::path run_folder;
  image_builder::built image = image_builder().build();
  std::shared_ptr<fake_hub_link> link = std::make_shared<fake_hub_link>();
  actor_stage stage;
  hub_link far = make_fake_hub_link(stage, link);
  fuse_bridge bridge = make_idle_bridge(stage);
  std::shared_ptr<session_counters> counters = std::make_shared<session_counters>();
  instance behind =
      stage.keep(spawn_instance(stage.system(), {image.toc, node.contents.get(), {}, bridge, counters, {}}));
  layer_record layer = layers->add({.place = automatic_place{}, .access = layer_access::writable}).value();
  std::shared_ptr<failed_side> failed = std::make_shared<failed_side>();
  node_root root;

  explicit mount_bench(const outcome_of_mounting& outcome = {}) {
    REQUIRE(layers->acquire(layer.id, 0));
    mount_record record{.target = "/mnt", .mode = outcome.mode};
    record.writable = mount_record::writable_part{layer.id, layer.path};
    const left_mount mount{{.name = "app", .record = record, .session = {}}, {record.image, image.toc}};
    auto tools = plain_root_tools(stage, node, *layers, switches, far);
    run_folder = tools.run_folder;
    // Failed mounts are used, and gone at once when they are detached.
    failed->answer = [this](const unmount_failed& what) -> result<void> {
      if (what.when_busy == busy_mount::refuse) return fail(errc::busy, "it is in use");
      std::filesystem::remove_all(folder());
      return {};
    };
    tools.mounts = make_mounter(stage, behind, outcome, failed);
    root = stage.keep(stage.system().spawn(make_node_root, std::move(tools), std::vector<left_mount>{mount}));
    stage.run();
  }
  ~mount_bench() {
    link->self = nullptr;
    root = nullptr;
    far = nullptr;
  }
  /// Programs use the mount meanwhile.
  void let_bridge_fail_in_use() {
    std::filesystem::create_directories(folder());
    caf::anon_send_exit(bridge, caf::exit_reason::unhandled_exception);
    stage.run();
  }
  /// It is there as long as something of the mount is.
  [[nodiscard]] std::filesystem::path folder() const { return run_folder / private_mounts_folder / "app"; }
  /// The answer may come later.
  actor_stage::answer<admin_message> umount(const admin_umount& asked) {
    auto answer =
        stage.ask<admin_message>(root, admin_message{encode(admin_request(asked))}, make_client(stage));
    stage.run();
    return answer;
  }
  std::vector<admin_mount> listed() {
    return ask_root<admin_listing>(stage, root, admin_list_request{}).value().mounts;
  }
};

}  // namespace

TEST_CASE("what was written to a mount whose bridge fails goes with it, unless programs use the mount") {
  mount_bench all;
  const bool used = GENERATE(false, true);
  if (used) std::filesystem::create_directories(all.folder());
  caf::anon_send_exit(all.bridge, caf::exit_reason::unhandled_exception);
  all.stage.run();
  CHECK(all.layers->find(all.layer.id).has_value() == used);
  CHECK(std::filesystem::exists(all.layer.path) == used);
}

TEST_CASE("a used mount whose bridge has failed is listed as failed until it is taken down") {
  mount_bench all;
  CHECK(all.listed().at(0).failure.empty());
  all.let_bridge_fail_in_use();
  REQUIRE(all.listed().size() == 1);
  CHECK(all.listed()[0].name == "app");
  CHECK(all.listed()[0].failure.find("firstlight umount") != std::string::npos);

  const auto refused = ask_root<admin_done>(all.stage, all.root, admin_umount{"app", false});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::busy);
  REQUIRE(all.listed().size() == 1);
  CHECK(all.layers->find(all.layer.id).has_value());

  CHECK(ask_root<admin_done>(all.stage, all.root, admin_umount{"/mnt", true}));
  CHECK(all.listed().empty());
  CHECK_FALSE(all.layers->find(all.layer.id).has_value());
}

TEST_CASE("what programs use of a failed mount that was taken down is looked at until it has gone") {
  mount_bench all;
  all.let_bridge_fail_in_use();
  all.failed->answer = [](const unmount_failed&) { return result<void>(); };
  const auto first_wait = node_root_limits().last_user_wait;
  const auto answer = all.umount({"app", false});
  CHECK_FALSE(*answer);
  all.stage.pass(first_wait);
  REQUIRE(*answer);
  CHECK(**answer);
  for (int look = 2; look < 100; ++look) all.stage.pass(node_root_limits().failed_look_wait_max);
  CHECK(all.failed->asked.size() == 100);
  CHECK(all.listed().size() == 1);

  all.failed->answer = [&](const unmount_failed&) {
    std::filesystem::remove_all(all.folder());
    return result<void>();
  };
  all.stage.pass(node_root_limits().failed_look_wait_max);
  CHECK(all.listed().empty());
  CHECK_FALSE(all.layers->find(all.layer.id).has_value());
}

TEST_CASE("looks at a failed mount become rarer, and a umount begins anew") {
  mount_bench all;
  all.let_bridge_fail_in_use();
  all.failed->answer = [](const unmount_failed&) { return result<void>(); };
  all.umount({"app", true});
  const auto first_wait = node_root_limits().last_user_wait;
  const auto looks_after = [&](std::chrono::milliseconds time) {
    const auto before = all.failed->asked.size();
    all.stage.pass(time);
    return all.failed->asked.size() - before;
  };
  CHECK(looks_after(first_wait) == 1);
  CHECK(looks_after(first_wait) == 0);
  CHECK(looks_after(first_wait) == 1);
  all.umount({"app", true});
  CHECK(looks_after(first_wait) == 1);
  CHECK(looks_after(first_wait) == 0);
}

TEST_CASE("a mount that goes away by itself after it has failed is forgotten") {
  mount_bench all;
  all.let_bridge_fail_in_use();
  const auto first_wait = node_root_limits().last_user_wait;
  all.stage.pass(first_wait);
  CHECK(all.listed().size() == 1);
  std::filesystem::remove_all(all.folder());
  all.stage.pass(2 * first_wait);
  CHECK(all.listed().empty());
  CHECK(all.failed->asked.empty());
}

TEST_CASE("a mount that is about to be held as failed is not detached by a umount that respects its users") {
  mount_bench all;
  all.let_bridge_fail_in_use();
  const auto in_use = std::exchange(all.failed->answer, [](const unmount_failed&) -> result<void> {
    return fail(errc::not_found, "its bridge has not ended");
  });
  const auto answer = all.umount({"app", false});
  CHECK_FALSE(*answer);
  all.failed->answer = in_use;
  for (int look = 0; look < 20; ++look) all.stage.pass(node_root_limits().failed_look_wait_max);
  REQUIRE(*answer);
  REQUIRE_FALSE(**answer);
  CHECK((**answer).error().code == errc::busy);
  CHECK(all.failed->asked == std::vector(2, busy_mount::refuse));
  CHECK(all.listed().size() == 1);
}

TEST_CASE("a failed mount that a umount without respect met before it was held is detached all the same") {
  mount_bench all;
  all.let_bridge_fail_in_use();
  const auto in_use = std::exchange(all.failed->answer, [](const unmount_failed&) -> result<void> {
    return fail(errc::not_found, "its bridge has not ended");
  });
  const auto answer = all.umount({"app", true});
  all.failed->answer = in_use;
  all.stage.pass(node_root_limits().last_user_wait);
  REQUIRE(*answer);
  CHECK(**answer);
  CHECK(all.listed().empty());
}

TEST_CASE("a failed mount whose folder cannot be removed says so, and is not looked at for ever") {
  mount_bench all;
  all.let_bridge_fail_in_use();
  std::filesystem::create_directories(all.folder() / "of somebody");
  all.failed->answer = [](const unmount_failed&) -> result<void> { return fail(errc::not_found, "unknown"); };
  const auto refused = all.umount({"app", false});
  all.stage.pass(node_root_limits().last_user_wait);
  REQUIRE(*refused);
  REQUIRE_FALSE(**refused);
  CHECK((**refused).error().code == errc::failed_precondition);
  CHECK((**refused).error().detail.find(all.folder().string()) != std::string::npos);

  for (int look = 0; look < 100; ++look) all.stage.pass(node_root_limits().failed_look_wait_max);
  CHECK(all.failed->asked.size() == 1 + node_root_limits().failed_looks_max);
  REQUIRE(all.listed().size() == 1);
  CHECK(all.listed()[0].failure.find(all.folder().string()) != std::string::npos);

  std::filesystem::remove_all(all.folder());
  CHECK(ask_root<admin_done>(all.stage, all.root, admin_umount{"app", false}));
  CHECK(all.listed().empty());
  CHECK_FALSE(all.layers->find(all.layer.id).has_value());
}

TEST_CASE("a mount that has failed does not keep its node from ending") {
  mount_bench all;
  all.let_bridge_fail_in_use();
  const auto ended = std::make_shared<bool>(false);
  all.root->attach_functor([ended] { *ended = true; });
  caf::anon_send_exit(all.root, caf::exit_reason::user_shutdown);
  all.stage.run();
  CHECK(*ended);
  CHECK(all.layers->find(all.layer.id).has_value());
}

TEST_CASE(
    "the status says of each mount in which mode it is, why in no better one, and how files are opened") {
  const auto outcome = GENERATE(values<outcome_of_mounting>(
      {{mount_mode::hybrid, ""},
       {mount_mode::overlay, "not hybrid: this kernel has no EROFS"},
       {mount_mode::fuse, "neither hybrid nor overlay: this kernel has no overlayfs"}}));
  mount_bench all(outcome);
  all.counters->opens_through = 3;
  all.counters->opens_by_fuse = 5;
  const auto status = ask_root<admin_node_status>(all.stage, all.root, admin_node_status_request{});
  REQUIRE(status);
  REQUIRE(status->mounts.size() == 1);
  const auto& mount = status->mounts[0];
  CHECK(mount.mode == to_string(outcome.mode));
  CHECK(mount.fallback == outcome.fallback);
  CHECK(mount.opens_through == 3);
  CHECK(mount.opens_by_fuse == 5);
}
