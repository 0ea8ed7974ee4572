#include "actors/hub/image_library.hpp"

#include <catch2/catch.hpp>

#include "test/harness/node/actor_stage.hpp"
#include "test/harness/node/small_stores.hpp"

using namespace firstlight;

namespace {

pull_listener::behavior_type counting_listener(pull_listener::pointer, std::shared_ptr<int> news) {
  return {[news](const incoming_progress&) { ++*news; }};
}

/// A library with real stores and sources; its worker counts how often a source was looked at.
struct library_bench {
  test_authority authority;
  hub_stores hub{authority};
  std::shared_ptr<int> looked = std::make_shared<int>(0);
  std::shared_ptr<int> news = std::make_shared<int>(0);
  actor_stage stage;
  pull_listener listener = stage.keep(stage.system().spawn(counting_listener, news));
  image_library library;

  library_bench() {
    hub.source.registry.attempts_max = 1;
    library = stage.keep(stage.system().spawn(
        make_image_library,
        library_tools{*hub.catalogue, *hub.contents, *hub.layers, hub.source, hub.order_limits, *hub.traces,
                      hub.learning, std::chrono::seconds(60), std::make_shared<std::atomic<bool>>(false)},
        stage.workers(looked)));
  }
  ~library_bench() {
    library = nullptr;
    listener = nullptr;
  }
  actor_stage::answer<known_image> ask(const std::string& reference) {
    return stage.ask<known_image>(library, resolve_image{reference, {}, {}, 1, {}}, listener);
  }
  result<known_image> resolve(const std::string& reference) {
    auto answer = ask(reference);
    stage.run();
    REQUIRE(*answer);
    return **answer;
  }
  /// An image that was once taken from a registry that is away now.
  known_image orphan(const std::string& reference) {
    auto image = hub.add("example.com/template:1", some_layer());
    image.record.reference = image.record.source = reference;
    REQUIRE(hub.catalogue->put(image.record));
    return image;
  }
};

/// Nothing listens on this port of the loopback interface.
const std::string away = "localhost:1/app:1";

}  // namespace

TEST_CASE("two who ask for one image cause one ingestion, and both get it") {
  library_bench bench;
  const auto reference = bench.hub.layout(some_layer());
  auto first = bench.ask(reference);
  auto second = bench.ask(reference);
  bench.stage.run();
  REQUIRE(*first);
  REQUIRE(*second);
  CHECK((*first)->value().record.toc == (*second)->value().record.toc);
  CHECK(*bench.looked == 1);
  CHECK(*bench.news > 0);
}

TEST_CASE("two who ask for what is not there both get the error, and the next one asks anew") {
  library_bench bench;
  auto first = bench.ask("oci:/nowhere/at/all:1");
  auto second = bench.ask("oci:/nowhere/at/all:1");
  bench.stage.run();
  CHECK((*first)->error().code == errc::not_found);
  CHECK((*second)->error().code == errc::not_found);
  CHECK(*bench.looked == 1);
  CHECK_FALSE(bench.resolve("oci:/nowhere/at/all:1"));
  CHECK(*bench.looked == 2);
}

TEST_CASE("an image whose registry is away is served as last known, and the status says so") {
  library_bench bench;
  const auto image = bench.orphan(away);
  const auto known = bench.resolve(away).value();
  CHECK(*bench.looked == 1);
  CHECK(known.last_known);
  CHECK_FALSE(known.last_error.empty());
  CHECK(known.record.toc == image.record.toc);
  auto status = bench.stage.ask<library_status>(bench.library, caf::get_atom_v);
  bench.stage.run();
  CHECK((*status)->value().last_known.size() == 1);
}

TEST_CASE("an unknown image whose registry is away is an error") {
  library_bench bench;
  CHECK(bench.resolve(away).error().code == errc::unavailable);
}

TEST_CASE("an image that is known by its digest is never looked up") {
  library_bench bench;
  const auto image = bench.orphan(away);
  const auto pinned = "localhost:1/app@sha256:" + image.record.manifest_digest.hex();
  const auto known = bench.resolve(pinned).value();
  CHECK(known.record.toc == image.record.toc);
  CHECK_FALSE(known.last_known);
  CHECK(*bench.looked == 0);
}

TEST_CASE("an interrupted delivery gets exactly its image, whatever the tag means now") {
  library_bench bench;
  const auto image = bench.orphan(away);
  auto answer = bench.stage.ask<known_image>(bench.library, resolve_image{away, {}, {}, 1, image.record.toc},
                                             bench.listener);
  bench.stage.run();
  CHECK((*answer)->value().record.toc == image.record.toc);
  CHECK(*bench.looked == 0);
}
