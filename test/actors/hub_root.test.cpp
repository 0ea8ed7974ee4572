#include "actors/hub/hub_root.hpp"

#include "storage/segment_cache.hpp"
#include "test/actors/aggregator_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

progress_listener::behavior_type deaf(progress_listener::pointer) {
  return {[](const admin_message&) {}};
}

using event_answer = actor_stage::answer<admin_message>;

/// What a follower has been told; nothing if it still waits.
std::optional<std::vector<admin_event>> told(const event_answer& answer) {
  if (!*answer) return std::nullopt;
  return std::get<admin_events>(decode_admin_reply((*answer)->value().bytes.bytes).value()).events;
}

/// A hub's root beside an aggregator whose learning waits until the test lets it go on.
struct root_bench {
  test_authority authority;
  hub_stores hub{authority};
  known_image image = hub.add("example.com/app:1", tar_of({"a", "b", "c"}));
  std::unique_ptr<segment_cache> segments =
      segment_cache::open(hub.folder.path() / "segments", 1U << 20U).value();
  actor_stage stage;
  actor_stage::held_worker learner = stage.hold_work();
  progress_listener listener = stage.keep(stage.system().spawn(deaf));
  trace_aggregator aggregator = stage.keep(stage.system().spawn(
      make_trace_aggregator, aggregator_tools{*hub.catalogue, *hub.traces, hub.learning,
                                              worker_pool({learner}), [] { return now; }}));
  hub_root root = stage.keep(stage.system().spawn(
      make_hub_root, hub_root_tools{.library = {},
                                    .aggregator = aggregator,
                                    .peers = {},
                                    .catalogue = *hub.catalogue,
                                    .traces = *hub.traces,
                                    .learning = hub.learning,
                                    .trace_readers = stage.workers(),
                                    .contents = *hub.contents,
                                    .segments = *segments,
                                    .version = "test",
                                    .name = "hub",
                                    .platform = image.record.platform,
                                    .preparation = hub.preparation(),
                                    .builder = *hub.builder,
                                    .savers = stage.workers(),
                                    .stop = std::make_shared<std::atomic<bool>>(false),
                                    .draining = std::make_shared<std::atomic<bool>>(false)}));

  ~root_bench() {
    root = nullptr;
    aggregator = nullptr;
    listener = nullptr;
    learner = nullptr;
  }
  template <class Reply>
  std::optional<Reply> ask(const admin_request& request) {
    const auto answer = stage.ask<admin_message>(root, admin_message{encode(request)}, listener);
    stage.run();
    if (!*answer || !**answer) return std::nullopt;
    auto reply = decode_admin_reply((**answer)->bytes.bytes);
    if (!reply || !std::holds_alternative<Reply>(*reply)) return std::nullopt;
    return std::get<Reply>(*reply);
  }
  event_answer follow(std::uint64_t after) {
    const admin_request request = admin_events_request{after, true};
    auto answer = stage.ask<admin_message>(root, admin_message{encode(request)}, listener);
    stage.run();
    return answer;
  }
};

}  // namespace

TEST_CASE("an image is shown with each of its layers") {
  root_bench bench;
  const auto shown = bench.ask<admin_image_detail>(admin_image_show{bench.image.record.reference, ""});
  REQUIRE(shown);
  REQUIRE(shown->layers.size() == bench.image.record.layers);
  std::uint64_t bytes = 0;
  for (const auto& layer : shown->layers) {
    CHECK(shown->manifest_json.find("sha256:" + layer.digest) != std::string::npos);
    CHECK_FALSE(layer.media_type.empty());
    bytes += layer.bytes;
  }
  CHECK(bytes == shown->image.compressed_bytes);
  CHECK_FALSE(bench.ask<admin_image_detail>(admin_image_show{"example.com/none:1", ""}));
}

TEST_CASE("a trace file that cannot be read is counted as refused, one of an unknown image is not") {
  root_bench bench;
  const auto imported = bench.ask<admin_trace_imported>(admin_trace_import{
      {"no JSON", R"({"image":{"n":"example.com/none"},"start":"2021-12-03T04:05:06Z","seq":[]})"}, "", 1});
  REQUIRE(imported);
  CHECK(imported->refused.size() == 2);
  const auto listed = bench.ask<admin_trace_list>(admin_trace_list_request{});
  REQUIRE(listed);
  CHECK(listed->refused == 1);
  CHECK(listed->refusals.size() == 1);
}

TEST_CASE("who waits for events is answered by the next one, and at once when there is one already") {
  root_bench bench;
  const auto first = bench.follow(0);
  const auto second = bench.follow(0);
  CHECK_FALSE(told(first));
  CHECK(bench.ask<admin_events>(admin_events_request{})->events.empty());  // who does not wait
  REQUIRE(bench.ask<admin_done>(admin_drain{true}));
  for (const auto& follower : {first, second}) {
    REQUIRE(told(follower));
    REQUIRE(told(follower)->size() == 1);
    CHECK(told(follower)->front().kind == "draining");
    CHECK(told(follower)->front().number == 1);
  }
  REQUIRE(told(bench.follow(0)));
  const auto later = bench.follow(1);
  CHECK_FALSE(told(later));
  REQUIRE(bench.ask<admin_done>(admin_drain{false}));
  REQUIRE(told(later));
  CHECK(told(later)->front().kind == "not draining");
}

TEST_CASE("of more followers than there can be clients the first are answered with nothing") {
  root_bench bench;
  std::vector<event_answer> followers;
  for (std::uint32_t i = 0; i <= admin_socket_limits{}.connections_max; ++i)
    followers.push_back(bench.follow(0));
  REQUIRE(told(followers[0]));
  CHECK(told(followers[0])->empty());
  CHECK_FALSE(told(followers[1]));
  REQUIRE(bench.ask<admin_done>(admin_drain{true}));
  for (std::size_t i = 1; i < followers.size(); ++i) {
    REQUIRE(told(followers[i]));
    CHECK(told(followers[i])->size() == 1);
  }
}

TEST_CASE("a long learning run does not delay what users ask about traces") {
  root_bench bench;
  const auto reported = bench.stage.ask<trace_kept>(
      bench.aggregator, trace_report{share(encode_trace(start_of(bench.image, 1, {"c", "a"}))), "n1"});
  bench.stage.pass(bench.hub.learning.gather_time);
  REQUIRE(*reported);
  // The learning has begun and goes on.
  const auto& name = bench.image.record.reference;
  const auto shown = bench.ask<admin_trace_detail>(admin_trace_show{name, "", 10});
  REQUIRE(shown);
  CHECK(shown->traces.size() == 1);
  CHECK(shown->image.learned_from == 0);
  CHECK(bench.ask<admin_trace_list>(admin_trace_list_request{}));
  CHECK(bench.ask<admin_trace_texts>(admin_trace_export{name, "", ""}));
  bench.stage.finish_last(bench.learner);
  CHECK(bench.ask<admin_trace_detail>(admin_trace_show{name, "", 10})->image.learned_from == 1);
}
