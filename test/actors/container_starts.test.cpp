#include "actors/node/instance.hpp"
#include "test/actors/root_bench.hpp"
#include "test/harness/node/test_image.hpp"

/// What a node's root records of containers that start above one mount.
using namespace firstlight;
using namespace std::chrono_literals;

namespace {

using recorder_ptr = std::shared_ptr<access_recorder>;

/// Hands out the recorder of the mount.
mounter make_mounter(actor_stage& stage, const instance& mount, std::shared_ptr<recorder_ptr> into) {
  return stage.keep(stage.system().spawn([=]() -> mounter::behavior_type {
    return {[=](const mount_request& request) {
              *into = request.recorder;
              return mounted{mount, request.mode, {}, {}};
            },
            [](const unmount_failed&) { return unmounted{}; }};
  }));
}

trace_collector make_collector(actor_stage& stage, std::shared_ptr<std::vector<trace>> into) {
  return stage.keep(stage.system().spawn([=]() -> trace_collector::behavior_type {
    return {[=](const start_recorded& start) { into->push_back(start.what); }, [](const start_goes_on&) {},
            [](caf::get_atom) { return collector_status{}; }, [](caf::tick_atom) {}};
  }));
}

image_builder::built make_image() {
  image_builder builder;
  builder.file("data", "bytes");
  return builder.build();
}

/// A node's root that has taken over one mount for overlays, of a whole image with one file.
struct container_bench {
  test_authority authority;
  node_stores node{authority};
  std::unique_ptr<layer_registry> layers =
      layer_registry::open(node.folder.path(), *node.metadata, {}).value();
  trace_switches switches{*node.metadata};
  image_builder::built image = make_image();
  std::shared_ptr<fake_hub_link> link = std::make_shared<fake_hub_link>();
  std::shared_ptr<recorder_ptr> recorder = std::make_shared<recorder_ptr>();
  std::shared_ptr<std::vector<trace>> traces = std::make_shared<std::vector<trace>>();
  actor_stage stage;
  hub_link far = make_fake_hub_link(stage, link);
  instance behind = stage.keep(spawn_instance(stage.system(), {image.toc,
                                                               node.contents.get(),
                                                               {},
                                                               make_idle_bridge(stage),
                                                               std::make_shared<const session_counters>(),
                                                               {}}));
  node_root root;

  container_bench() {
    REQUIRE(node.contents->write(image.toc->content(0), 0, std::as_bytes(std::span(image.bytes.at(0)))));
    const mount_record record{.target = "/mnt", .mode = mount_mode::hybrid, .for_overlays = true};
    const left_mount mount{{.name = "app", .record = record, .session = {}}, {record.image, image.toc}};
    auto tools = plain_root_tools(stage, node, *layers, switches, far);
    tools.mounts = make_mounter(stage, behind, recorder);
    tools.collector = make_collector(stage, traces);
    root = stage.keep(stage.system().spawn(make_node_root, std::move(tools), std::vector<left_mount>{mount}));
    stage.run();
  }
  ~container_bench() {
    link->pulls.clear();
    link->self = nullptr;
    root = nullptr;
    far = nullptr;
  }
  void begin(const std::string& group) {
    const auto begun = stage.ask<container_recorded>(root, container_begins{"app", group});
    stage.run();
    REQUIRE(*begun);
    REQUIRE(**begun);
  }
  void end_recording() {
    (*recorder)->opened(0, std::chrono::steady_clock::now());
    REQUIRE(ask_root<admin_done>(stage, root, admin_trace_switch{.on = false}));
    REQUIRE(ask_root<admin_done>(stage, root, admin_trace_switch{.on = true}));
  }
};

}  // namespace

TEST_CASE("each start of a container is recorded as of its own group") {
  container_bench all;
  REQUIRE(*all.recorder);
  CHECK_FALSE((*all.recorder)->active());
  for (const std::string group : {"shop", "", "blog"}) {
    all.begin(group);
    all.end_recording();
  }
  REQUIRE(all.traces->size() == 3);
  CHECK((*all.traces)[0].group == "shop");
  CHECK((*all.traces)[1].group == "default");
  CHECK((*all.traces)[2].group == "blog");
}

TEST_CASE("a container that starts while another start is being recorded is of that one's group") {
  container_bench all;
  all.begin("shop");
  all.begin("blog");
  all.end_recording();
  REQUIRE(all.traces->size() == 1);
  CHECK(all.traces->front().group == "shop");
}

TEST_CASE("starts of a group that is not to be recorded are not, also above a mount that has been recorded") {
  container_bench all;
  REQUIRE(ask_root<admin_done>(all.stage, all.root, admin_trace_switch{.group = "quiet", .on = false}));
  all.begin("quiet");
  CHECK_FALSE((*all.recorder)->active());
  all.begin("shop");
  CHECK((*all.recorder)->active());
  all.end_recording();
}

TEST_CASE("a start without a group is of the group default, also for whoever switches that off") {
  container_bench all;
  REQUIRE(ask_root<admin_done>(all.stage, all.root, admin_trace_switch{.group = "default", .on = false}));
  all.begin("");
  CHECK_FALSE((*all.recorder)->active());
  REQUIRE(ask_root<admin_done>(all.stage, all.root, admin_trace_switch{.group = "default", .on = true}));
  all.begin("");
  REQUIRE((*all.recorder)->active());
  (*all.recorder)->opened(0, std::chrono::steady_clock::now());
  REQUIRE(ask_root<admin_done>(all.stage, all.root, admin_trace_switch{.group = "default", .on = false}));
  CHECK_FALSE((*all.recorder)->active());
  CHECK(all.traces->size() == 1);
}

TEST_CASE(
    "a word that is taken back leaves what the setting and other words say, and the status lists them") {
  container_bench all;
  const auto recording = [&] {
    return ask_root<admin_node_status>(all.stage, all.root, admin_node_status_request{}).value().recording;
  };
  CHECK(recording() == admin_recording{"always", recording_options{}.starts, {}});
  REQUIRE(ask_root<admin_done>(all.stage, all.root, admin_trace_switch{.on = false}));
  REQUIRE(ask_root<admin_done>(all.stage, all.root, admin_trace_switch{.group = "shop", .on = true}));
  CHECK(recording().words == std::vector<admin_trace_switch>{{"", "", false}, {"", "shop", true}});
  all.begin("shop");
  REQUIRE((*all.recorder)->active());
  // What was recorded by the word alone ends with it.
  REQUIRE(ask_root<admin_done>(all.stage, all.root, admin_trace_default{.group = "shop"}));
  CHECK_FALSE((*all.recorder)->active());
  REQUIRE(ask_root<admin_done>(all.stage, all.root, admin_trace_default{}));
  CHECK(recording().words.empty());
  all.begin("shop");
  CHECK((*all.recorder)->active());
  all.end_recording();
  CHECK(ask_root<admin_done>(all.stage, all.root, admin_trace_default{"app:1", "shop"}).error().code ==
        errc::invalid_argument);
}
