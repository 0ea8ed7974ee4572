#include <catch2/catch.hpp>

#include "actors/node/trace_collector.hpp"
#include "actors/node/tracer.hpp"
#include "schemas/toc_contents.hpp"
#include "schemas/trace_codec.hpp"
#include "test/harness/node/actor_stage.hpp"
#include "test/harness/node/small_stores.hpp"
#include "test/harness/tar_builder.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

constexpr auto now = std::chrono::nanoseconds(1'700'000'000s);

trace_id id_of(std::uint8_t number) {
  trace_id id;
  id.value.bytes[0] = std::byte{number};
  return id;
}

std::string tar_of(const std::vector<std::string>& names) {
  tar_builder tar;
  for (const auto& name : names) tar.file(name, "the bytes of " + name);
  return tar.take();
}

}  // namespace

namespace {

struct collector_bench {
  temporary_folder folder;
  std::unique_ptr<database> metadata = database::open(folder.path()).value();
  std::unique_ptr<trace_store> store = trace_store::open(*metadata, {.kept_max = 1000}).value();
  trace_store& unsent = *store;
  trace_drafts drafts{*metadata};
  std::shared_ptr<fake_hub_link> link = std::make_shared<fake_hub_link>();
  actor_stage stage;
  hub_link far = make_fake_hub_link(stage, link);
  trace_collector collector;

  explicit collector_bench() { start(); }
  ~collector_bench() {
    link->traces.clear();
    link->self = nullptr;
    collector = nullptr;
    far = nullptr;
  }
  void start() {
    collector = stage.keep(stage.system().spawn(
        make_trace_collector, collector_tools{unsent, drafts, far, /*unsent_max=*/3, /*retry_interval=*/5s}));
    stage.run();
  }
  [[nodiscard]] static trace trace_of(std::uint8_t id) {
    trace made;
    made.id = id_of(id);
    made.started = std::chrono::seconds(id);
    made.files = {{"a", 0ms, 0ms, {}}};
    return made;
  }
  void record(const trace& made) {
    caf::anon_send(collector, start_recorded{made});
    stage.run();
  }
  void record(std::uint8_t id) { record(trace_of(id)); }
  void go_on(const trace& so_far) {
    caf::anon_send(collector, start_goes_on{so_far});
    stage.run();
  }
  [[nodiscard]] trace last_trace() const {
    return decode_trace(link->traces.back().what.encoded.bytes).value();
  }
  [[nodiscard]] std::uint8_t last_sent() const {
    return std::to_integer<std::uint8_t>(last_trace().id.value.bytes[0]);
  }
  std::uint32_t files_recorded() {
    const auto status = stage.ask<collector_status>(collector, caf::get_atom_v);
    stage.run();
    return (*status)->value().files_recorded;
  }
  /// Drafts of traces.
  std::size_t drafts_left() {
    return drafts.left([](const error&) {})->size();
  }
  std::size_t left() {
    std::size_t count = 0;
    REQUIRE(unsent.for_each([&](trace&&) { return ++count > 0; }));
    return count;
  }
};

}  // namespace

TEST_CASE("a trace stays on disk until the hub has confirmed it") {
  collector_bench bench;
  bench.record(1);
  REQUIRE(bench.link->traces.size() == 1);
  CHECK(bench.left() == 1);
  bench.link->answer_trace({});
  CHECK(bench.left() == 0);
}

TEST_CASE("what the hub could not take is sent again, what it refuses for good is not") {
  collector_bench bench;
  bench.record(1);
  bench.link->answer_trace(fail(errc::unavailable, "away"));
  CHECK(bench.left() == 1);
  CHECK(bench.link->traces.size() == 1);
  bench.stage.pass(5s);
  REQUIRE(bench.link->traces.size() == 2);
  bench.link->answer_trace(fail(errc::invalid_argument, "another image"));
  CHECK(bench.left() == 0);
  bench.stage.pass(60s);
  CHECK(bench.link->traces.size() == 2);
}

TEST_CASE("traces go out one after another, and a later process sends what is left") {
  collector_bench bench;
  for (std::uint8_t id = 1; id <= 3; ++id) bench.record(id);
  CHECK(bench.link->traces.size() == 1);
  CHECK(bench.last_sent() == 1);
  bench.link->answer_trace({});
  CHECK(bench.last_sent() == 2);
  bench.start();
  REQUIRE(bench.link->traces.size() == 3);
  CHECK(bench.last_sent() == 2);
  bench.link->answer_trace({});
  CHECK(bench.last_sent() == 3);
}

TEST_CASE("a trace that cannot be read any more is dropped, and the next one is sent") {
  collector_bench bench;
  for (std::uint8_t id = 1; id <= 3; ++id) bench.record(id);
  const auto damaged = bench.trace_of(2);
  const auto key = std::string(as_key(damaged.toc.value)) + std::string(as_key(damaged.id.value));
  REQUIRE(bench.metadata->put(table{"trace"}, key, "no trace"));
  bench.link->answer_trace({});
  REQUIRE(bench.link->traces.size() == 2);
  CHECK(bench.last_sent() == 3);
  CHECK_FALSE(bench.unsent.knows(damaged.id).value());
}

TEST_CASE("when the hub stays away the oldest traces go") {
  collector_bench bench;
  for (std::uint8_t id = 1; id <= 6; ++id) bench.record(id);
  CHECK(bench.left() == 3);
  CHECK(bench.unsent.find(id_of(6)).value());
  CHECK_FALSE(bench.unsent.find(id_of(2)).value());
}

TEST_CASE("what was recorded of a start when the node died is sent by the next process, once") {
  collector_bench bench;
  auto so_far = bench.trace_of(1);
  bench.go_on(so_far);
  so_far.files.push_back({"b", 1ms, 0ms, {}});
  bench.go_on(so_far);
  CHECK(bench.link->traces.empty());
  CHECK(bench.left() == 0);
  bench.start();
  REQUIRE(bench.link->traces.size() == 1);
  CHECK(bench.last_trace() == so_far);
  bench.link->answer_trace({});
  CHECK(bench.left() == 0);
  CHECK(bench.drafts_left() == 0);
  bench.start();
  CHECK(bench.link->traces.size() == 1);
}

TEST_CASE("a start that has been recorded takes the place of what was kept of it meanwhile") {
  collector_bench bench;
  auto whole = bench.trace_of(1);
  whole.files.push_back({"b", 1ms, 0ms, {}});
  bench.go_on(bench.trace_of(1));
  SECTION("at once") {
    CHECK(bench.files_recorded() == 1);
    bench.go_on(whole);
    CHECK(bench.files_recorded() == 2);
    bench.record(whole);
    CHECK(bench.files_recorded() == 0);
  }
  SECTION("after the node has died between the two writes") {
    REQUIRE(bench.unsent.add(whole));
    bench.start();
  }
  CHECK(bench.drafts_left() == 0);
  REQUIRE(bench.link->traces.size() == 1);
  CHECK(bench.last_trace() == whole);
  bench.link->answer_trace({});
  bench.start();
  CHECK(bench.link->traces.size() == 1);
}

TEST_CASE("a draft of a trace that cannot be read is dropped, and no other with it") {
  collector_bench bench;
  REQUIRE(bench.metadata->put({"trace-draft"}, as_key(id_of(7).value), "no message"));
  bench.go_on(bench.trace_of(1));
  int damaged = 0;
  CHECK(bench.drafts.left([&](const error&) { ++damaged; })->size() == 1);
  CHECK(damaged == 1);
  CHECK(bench.drafts.left([&](const error&) { ++damaged; })->size() == 1);
  CHECK(damaged == 1);
}

TEST_CASE("a collector that is ended keeps what it was given before") {
  collector_bench bench;  // its stores, with a collector on a thread of its own
  caf::actor_system_config config;
  caf::actor_system system(config);
  const auto away = system.spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->set_default_handler(caf::drop);  // no hub takes any
    return {[](caf::unit_t) {}};
  });
  constexpr int count = 100;
  auto collector = system.spawn<caf::detached>(
      make_trace_collector,
      collector_tools{bench.unsent, bench.drafts, caf::actor_cast<hub_link>(away), 1'000, 1h});
  for (int id = 1; id <= count; ++id) {
    trace made;
    made.id = id_of(static_cast<std::uint8_t>(id));
    made.files = {{"a", 0ms, 0ms, {}}};
    caf::anon_send(collector, start_recorded{made});
  }
  end_collector(system, collector);
  caf::anon_send_exit(away, caf::exit_reason::user_shutdown);
  CHECK(bench.left() == count);
}

// ---- recorder and tracer ---------------------------------------------------------------------------

namespace {

using traces_ptr = std::shared_ptr<std::vector<trace>>;

trace_collector::behavior_type keep_traces(trace_collector::pointer, traces_ptr into, traces_ptr drafts) {
  return {[into](const start_recorded& start) { into->push_back(start.what); },
          [drafts](const start_goes_on& start) { drafts->push_back(start.what); },
          [](caf::get_atom) { return collector_status{}; }, [](caf::tick_atom) {}};
}

struct tracer_bench {
  test_authority authority;
  hub_stores hub{authority};
  known_image image = hub.add("example.com/app:1", tar_of({"a", "b", "c"}));
  traces_ptr traces = std::make_shared<std::vector<trace>>();
  traces_ptr drafts = std::make_shared<std::vector<trace>>();  ///< in the order in which they came
  std::shared_ptr<access_recorder> recorder = std::make_shared<access_recorder>(
      now, recorded_detail::blocks, recording_limits{.settle_time = 10s, .time_max = 60s});
  actor_stage stage;
  tracer watching;

  tracer_bench() {
    const auto collector = stage.keep(stage.system().spawn(keep_traces, traces, drafts));
    watching = stage.keep(stage.system().spawn(
        make_tracer,
        tracer_parts{recorder,
                     {id_of(1), image.toc, image.record.toc, image.record.reference, "shop", "n1", now},
                     collector,
                     /*check_interval=*/500ms,
                     /*keep_interval=*/2s}));
    stage.run();
  }
  ~tracer_bench() { watching = nullptr; }
};

}  // namespace

TEST_CASE("a finished recording becomes a trace with paths, and nothing is noted any more") {
  tracer_bench bench;
  const auto content = content_at(*bench.image.toc, "b")->value();
  bench.recorder->read({content, 0, 1}, 1);
  bench.recorder->opened(content_at(*bench.image.toc, "a")->value(), std::chrono::steady_clock::now());
  bool detached = false;
  bench.recorder->on_finish([&] { detached = true; });
  caf::anon_send(bench.watching, finish_recording{});
  bench.stage.run();
  REQUIRE(bench.traces->size() == 1);
  const auto& made = bench.traces->front();
  CHECK(made.group == "shop");
  CHECK(made.reference == "example.com/app:1");
  REQUIRE(made.files.size() == 2);
  CHECK(made.files[0].path == "b");
  CHECK(made.files[0].runs.size() == 1);
  CHECK(made.files[1].runs.empty());
  CHECK(detached);
  CHECK_FALSE(bench.recorder->active());
  CHECK(check_trace(made, {}, now));
}

TEST_CASE("what a start has read by now is kept from time to time while it reads what is new") {
  tracer_bench bench;
  const auto pass = [&](std::chrono::milliseconds time) {
    for (; time.count() > 0; time -= 500ms) bench.stage.pass(500ms);
  };
  pass(3s);
  CHECK(bench.drafts->empty());
  bench.recorder->read({content_at(*bench.image.toc, "b")->value(), 0, 1}, 1);
  pass(500ms);
  REQUIRE(bench.drafts->size() == 1);
  CHECK(bench.drafts->back().files.size() == 1);
  CHECK(bench.drafts->back().files[0].path == "b");
  CHECK(bench.recorder->active());
  pass(5s);
  CHECK(bench.drafts->size() == 1);
  bench.recorder->read({content_at(*bench.image.toc, "a")->value(), 0, 1}, 1);
  pass(500ms);
  REQUIRE(bench.drafts->size() == 2);
  CHECK(bench.drafts->back().files.size() == 2);
  bench.recorder->opened(content_at(*bench.image.toc, "c")->value(), std::chrono::steady_clock::now());
  pass(500ms);
  CHECK(bench.drafts->size() == 2);  // too soon
  caf::anon_send(bench.watching, finish_recording{});
  bench.stage.run();
  REQUIRE(bench.traces->size() == 1);
  CHECK(bench.traces->front().files.size() == 3);
  CHECK(bench.traces->front().id == id_of(1));
  CHECK(bench.drafts->front().id == id_of(1));
}

TEST_CASE("a mount that is taken down keeps what was recorded, and an empty recording is no trace") {
  tracer_bench bench;
  const bool used = GENERATE(true, false);
  if (used) bench.recorder->read({0, 0, 1}, 1);
  caf::anon_send_exit(bench.watching, caf::exit_reason::user_shutdown);
  bench.stage.run();
  CHECK(bench.traces->size() == (used ? 1 : 0));
}

TEST_CASE("a start does not settle while somebody waits for blocks") {
  access_recorder recorder(now, recorded_detail::blocks, {.settle_time = 0ms, .time_max = 1h});
  const auto later = std::chrono::steady_clock::now() + 1min;
  recorder.read({0, 0, 1}, 2);
  CHECK(recorder.settled(later));
  recorder.waits();
  CHECK_FALSE(recorder.settled(later));
  CHECK(recorder.settled(later + 2h));
  recorder.waited({0, 1, 1}, 2, std::chrono::steady_clock::now());
  CHECK(recorder.settled(later));
}

TEST_CASE("of a complete image files are recorded, not the blocks that the kernel reads ahead") {
  access_recorder recorder(now, recorded_detail::files, {});
  recorder.read({3, 0, 8}, 8);
  const auto read = recorder.finish();
  REQUIRE(read.size() == 1);
  CHECK(read[0].runs.empty());
}
