#include "actors/node/instance.hpp"
#include "test/actors/kept_image.hpp"
#include "test/actors/root_bench.hpp"

/// What a node's root says of a mount of an earlier process while it is being taken over.
using namespace firstlight;

namespace {

/// A mounter that answers when the test says so.
struct slow_mounter : fake_far_side {
  std::vector<caf::typed_response_promise<mounted>> asked;

  void answer(const result<mounted>& with) {
    act([&] {
      for (auto& promise : std::exchange(asked, {}))
        if (with)
          promise.deliver(*with);
        else
          promise.deliver(to_caf(with.error()));
    });
  }
};

using acting_mounter = mounter::extend<caf::reacts_to<work>>;

acting_mounter::behavior_type play_mounter(acting_mounter::pointer self, std::shared_ptr<slow_mounter> into) {
  return {[self, into](const mount_request&) -> caf::result<mounted> {
            into->asked.push_back(self->make_response_promise<mounted>());
            return into->asked.back();
          },
          [](const unmount_failed&) { return unmounted{}; }, [](const work& piece) { piece.run(); }};
}

mounter make_slow_mounter(actor_stage& stage, std::shared_ptr<slow_mounter> into) {
  const auto made = stage.keep(stage.system().spawn(play_mounter, into));
  into->stage = &stage;
  into->self = caf::actor_cast<caf::actor>(made);
  return caf::actor_cast<mounter>(made);
}

/// A node's root that is taking over one mount of a whole image, without a writable layer.
struct takeover_bench {
  test_authority authority;
  node_stores node{authority};
  std::unique_ptr<layer_registry> layers =
      layer_registry::open(node.folder.path(), *node.metadata, {}).value();
  trace_switches switches{*node.metadata};
  kept_image image = keep_image(node, root_bench::image, {"data"}, 1);
  std::shared_ptr<fake_hub_link> link = std::make_shared<fake_hub_link>();
  std::shared_ptr<slow_mounter> mounts = std::make_shared<slow_mounter>();
  actor_stage stage;
  hub_link far = make_fake_hub_link(stage, link);
  std::shared_ptr<const toc_view> toc = node.catalogue->toc(image.toc).value();
  instance behind = stage.keep(spawn_instance(
      stage.system(),
      {toc, node.contents.get(), {}, make_idle_bridge(stage), std::make_shared<session_counters>(), {}}));
  node_root root;

  takeover_bench() {
    mount_record record{.target = "/mnt", .mode = mount_mode::hybrid};
    record.image = node.catalogue->find(image.name.reference, image.name.platform).value().value();
    const left_mount mount{{.name = "app", .record = record, .session = {}}, {record.image, toc}};
    auto tools = plain_root_tools(stage, node, *layers, switches, far);
    tools.mounts = make_slow_mounter(stage, mounts);
    root = stage.keep(stage.system().spawn(make_node_root, std::move(tools), std::vector<left_mount>{mount}));
    stage.run();
    REQUIRE(mounts->asked.size() == 1);
  }
  ~takeover_bench() {
    fail();
    mounts->self = nullptr;
    link->self = nullptr;
  }
  void succeed() { mounts->answer(mounted{behind, mount_mode::hybrid, {}, {}}); }
  void fail() { mounts->answer(firstlight::fail(errc::io, "its device is gone")); }
  /// The answer may come later.
  template <class Request>
  actor_stage::answer<admin_message> ask(const Request& request) {
    auto answer =
        stage.ask<admin_message>(root, admin_message{encode(admin_request(request))}, make_client(stage));
    stage.run();
    return answer;
  }
};

template <class Reply>
Reply reply_of(const actor_stage::answer<admin_message>& answer) {
  REQUIRE(*answer);
  REQUIRE(**answer);
  return std::get<Reply>(decode_admin_reply((***answer).bytes.bytes).value());
}

errc refusal_of(const actor_stage::answer<admin_message>& answer) {
  REQUIRE(*answer);
  REQUIRE_FALSE(**answer);
  return (**answer).error().code;
}

}  // namespace

TEST_CASE("who waits for a mount of an earlier process waits also for that to be taken over") {
  takeover_bench bench;
  const auto name_or_target = GENERATE(as<std::string>(), "app", "/mnt");
  const auto answer = bench.ask(admin_wait{.what = name_or_target});
  CHECK_FALSE(*answer);
  bench.succeed();
  CHECK(reply_of<admin_waited>(answer).image.reference == root_bench::image);
}

TEST_CASE("commands about a mount of an earlier process are carried out once it has been taken over") {
  takeover_bench bench;
  const auto listed = bench.ask(admin_list_request{});
  const auto committed = bench.ask(admin_commit{.mount = "/mnt", .file = "/nowhere/layer.tar"});
  const auto down = bench.ask(admin_umount{.mount = "app", .lazy = true});
  CHECK_FALSE(*listed);
  CHECK_FALSE(*committed);
  CHECK_FALSE(*down);
  bench.succeed();
  CHECK(reply_of<admin_listing>(listed).mounts.size() == 1);
  CHECK(refusal_of(committed) == errc::invalid_argument);  // it is read-only
  reply_of<admin_done>(down);
}

TEST_CASE("a mount of an earlier process that cannot be taken over is none") {
  takeover_bench bench;
  const auto committed = bench.ask(admin_commit{.mount = "app", .file = "/nowhere/layer.tar"});
  const auto down = bench.ask(admin_umount{.mount = "/mnt"});
  bench.fail();
  CHECK(refusal_of(committed) == errc::not_found);
  CHECK(refusal_of(down) == errc::not_found);
  CHECK(reply_of<admin_listing>(bench.ask(admin_list_request{})).mounts.empty());
}

TEST_CASE("what is about no mount of an earlier process does not wait for one") {
  takeover_bench bench;
  CHECK(refusal_of(bench.ask(admin_umount{.mount = "another"})) == errc::not_found);
  CHECK(refusal_of(bench.ask(admin_commit{.mount = "/another", .file = "/nowhere/layer.tar"})) ==
        errc::not_found);
  const auto waited = bench.ask(admin_wait{.what = root_bench::image});
  CHECK(reply_of<admin_waited>(waited).image.reference == root_bench::image);
  bench.succeed();
}
