#include "actors/hub/hub_root.hpp"

#include "storage/segment_cache.hpp"
#include "test/actors/aggregator_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

progress_listener::behavior_type deaf(progress_listener::pointer) {
  return {[](const admin_message&) {}};
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
