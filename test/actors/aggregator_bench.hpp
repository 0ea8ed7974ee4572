#pragma once
#include <catch2/catch.hpp>

#include "actors/hub/trace_aggregator.hpp"
#include "schemas/toc_contents.hpp"
#include "schemas/trace_codec.hpp"
#include "test/harness/node/actor_stage.hpp"
#include "test/harness/node/small_stores.hpp"
#include "test/harness/tar_builder.hpp"

namespace firstlight {

using namespace std::chrono_literals;

constexpr auto now = std::chrono::nanoseconds(1'700'000'000s);

inline trace_id id_of(std::uint8_t number) {
  trace_id id;
  id.value.bytes[0] = std::byte{number};
  return id;
}

/// A start of the image that reads the first block of these files, one each millisecond.
inline trace start_of(const known_image& image, std::uint8_t id, const std::vector<std::string>& paths) {
  trace made{id_of(id), image.record.toc, image.record.reference, "default", "somebody", now - 10s, {}};
  auto when = 0ms;
  for (const auto& path : paths) {
    made.files.push_back({path, when, 0ms, {{0, 1, when, 0ms}}});
    when += 1ms;
  }
  return made;
}

inline std::string tar_of(const std::vector<std::string>& names) {
  tar_builder tar;
  for (const auto& name : names) tar.file(name, "the bytes of " + name);
  return tar.take();
}

struct told_orders {
  std::vector<order_learned> orders;
};

inline caf::behavior listen(caf::event_based_actor*, std::shared_ptr<told_orders> told) {
  return {[told](const order_learned& news) { told->orders.push_back(news); }, [](const trace_added&) {}};
}

/// An aggregator with real stores and one image.
struct aggregator_bench {
  test_authority authority;
  hub_stores hub{authority};
  known_image image = hub.add("example.com/app:1", tar_of({"a", "b", "c"}));
  std::shared_ptr<told_orders> told = std::make_shared<told_orders>();
  actor_stage stage;
  trace_aggregator aggregator;

  aggregator_bench() {
    aggregator = spawn(stage.workers());
    caf::anon_send(aggregator, caf::subscribe_atom_v, stage.keep(stage.system().spawn(listen, told)));
    stage.run();
  }
  ~aggregator_bench() { aggregator = nullptr; }

  trace_aggregator spawn(worker_pool workers) {
    return stage.keep(stage.system().spawn(
        make_trace_aggregator,
        aggregator_tools{*hub.catalogue, *hub.traces, hub.learning, std::move(workers), [] { return now; }}));
  }

  result<trace_kept> report(const trace& recorded, const std::string& node = "n1") {
    const auto answer = stage.ask<trace_kept>(aggregator, trace_report{share(encode_trace(recorded)), node});
    stage.run();
    REQUIRE(answer->has_value());
    return **answer;
  }
  aggregator_status status() {
    const auto answer = stage.ask<aggregator_status>(aggregator, caf::get_atom_v);
    stage.run();
    return answer->value().value();
  }
  void learn() { stage.pass(hub.learning.gather_time); }

  /// The files that a start is expected to read, first to last.
  std::vector<std::string> expected(const known_image& of) {
    const auto order = hub.catalogue->order(of.record.toc).value();
    const auto paths = content_paths(*of.toc);
    std::vector<std::string> files;
    for (std::uint32_t i = 0; i < order.guessed; ++i) files.push_back(paths[order.runs[i].content]);
    return files;
  }
};

}  // namespace firstlight
