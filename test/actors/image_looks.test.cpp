#include <catch2/catch.hpp>

#include "actors/hub/image_library.hpp"
#include "test/harness/http_server.hpp"
#include "test/harness/node/actor_stage.hpp"
#include "test/harness/node/small_stores.hpp"

using namespace firstlight;

namespace {

pull_listener::behavior_type deaf_listener(pull_listener::pointer) {
  return {[](const incoming_progress&) {}};
}

enum class looks : std::uint8_t { at_once, held };

/// A library that looks at tags in registries, one attempt each. Images are read when the test says so, by
/// one of two workers; in some tests tags are looked at likewise.
struct looking_library {
  test_authority authority;
  hub_stores hub{authority};
  actor_stage stage;
  actor_stage::held_worker first = stage.hold_work();
  actor_stage::held_worker second = stage.hold_work();
  actor_stage::held_worker looker = stage.hold_work();
  pull_listener listener = stage.keep(stage.system().spawn(deaf_listener));
  image_library library;

  explicit looking_library(looks when = looks::at_once) {
    hub.source.registry.attempts_max = 1;
    library_tools tools{*hub.catalogue,
                        *hub.contents,
                        *hub.layers,
                        hub.source,
                        hub.order_limits,
                        *hub.traces,
                        hub.learning,
                        std::chrono::seconds(60),
                        std::make_shared<std::atomic<bool>>(false)};
    tools.lookers = when == looks::held ? pool_of({looker}) : stage.workers();
    library =
        stage.keep(stage.system().spawn(make_image_library, std::move(tools), pool_of({first, second})));
  }
  ~looking_library() {
    library = nullptr;
    looker = nullptr;
    second = nullptr;
    first = nullptr;
    listener = nullptr;
  }
  static worker_pool pool_of(const std::vector<actor_stage::held_worker>& held) {
    std::vector<worker> workers;
    for (const auto& one : held) workers.push_back(caf::actor_cast<worker>(one));
    return worker_pool(std::move(workers));
  }
  actor_stage::answer<known_image> ask(const std::string& reference,
                                       source_look look = source_look::when_due) {
    auto answer =
        stage.ask<known_image>(library, resolve_image{reference, {}, {}, 1, {}, {}, look}, listener);
    stage.run();
    return answer;
  }
  /// Whichever of them has something to do.
  void finish_one_of_each() {
    stage.finish_last(first);
    stage.finish_last(second);
  }
};

}  // namespace

TEST_CASE("an image that is removed while its tag is looked at is not brought back by that") {
  looking_library bench;
  image_record removed;
  const http_server registry([&](const served_request& request) -> served_response {
    if (request.method != "HEAD") return {404, {}, {}};
    if (!bench.hub.catalogue->remove(removed.reference, removed.platform)) return {500, {}, {}};
    return {200, {"Docker-Content-Digest: " + removed.top_digest.oci()}, {}};
  });
  const auto reference = registry.host() + "/app:1";
  const auto same = bench.hub.add("localhost:1/same:1", some_layer());  // keeps the table of contents
  removed = bench.hub.add(reference, some_layer()).record;
  removed.source = reference;
  REQUIRE(bench.hub.catalogue->put(removed));
  REQUIRE(same.record.toc == removed.toc);
  const auto answer = bench.ask(reference);
  CHECK_FALSE(*answer);  // it is new now
  bench.finish_one_of_each();
  REQUIRE(*answer);
  REQUIRE_FALSE((*answer)->has_value());
  CHECK((*answer)->error().code == errc::not_found);
  const auto left = bench.hub.catalogue->list().value();
  REQUIRE(left.size() == 1);
  CHECK(left.front().reference == same.record.reference);
}

TEST_CASE("an image that is removed when its tag has just been looked at is taken in anew") {
  looking_library bench(looks::held);
  const auto image = bench.hub.add("localhost:1/app:1", some_layer());
  const auto answer = bench.ask("localhost:1/app:1");
  // The removal arrives, then what the source has said.
  const auto removed = bench.stage.ask<image_removed>(
      bench.library, remove_image{image.record.reference, image.record.platform});
  bench.stage.finish_last(bench.looker);
  CHECK_FALSE(*answer);
  CHECK(bench.hub.catalogue->list().value().empty());
  bench.finish_one_of_each();  // the sweep
  REQUIRE(*removed);
  CHECK((*removed)->has_value());
  bench.finish_one_of_each();
  REQUIRE(*answer);
  CHECK((*answer)->value().record.toc == image.record.toc);
  CHECK(bench.hub.contents->state(image.toc->content(0).id) == content_state::complete);
}

TEST_CASE("a known image is answered while all who read images are busy, also when its tag is looked at") {
  looking_library bench;
  const auto known = bench.hub.add("localhost:1/known:1", some_layer(1));
  const auto first = bench.ask(bench.hub.layout(some_layer(2)));
  const auto second = bench.ask(bench.hub.layout(some_layer(3)));
  const auto third = bench.ask(bench.hub.layout(some_layer(4)));
  const auto answer = bench.ask("localhost:1/known:1");
  REQUIRE(*answer);
  CHECK((*answer)->value().record.checked_at > known.record.checked_at);
  CHECK_FALSE(*first);
  CHECK_FALSE(*second);
  CHECK_FALSE(*third);
}

TEST_CASE("an image does not wait behind a long one while somebody else has nothing to do") {
  looking_library bench;
  const auto long_one = bench.ask(bench.hub.layout(some_layer(1)));
  const auto short_one = bench.ask(bench.hub.layout(some_layer(2)));
  const auto next = bench.ask(bench.hub.layout(some_layer(3)));
  const auto last = bench.ask(bench.hub.layout(some_layer(4)));
  // The idle one that came last is taken first.
  bench.stage.finish_last(bench.first);
  REQUIRE(*short_one);
  bench.stage.finish_last(bench.first);
  REQUIRE(*next);
  bench.stage.finish_last(bench.first);
  REQUIRE(*last);
  CHECK_FALSE(*long_one);
  bench.stage.finish_last(bench.second);
  CHECK(*long_one);
}

TEST_CASE("an image of which the hub has lost something is read again when its tag is looked at") {
  looking_library bench;
  const auto image = bench.hub.add("localhost:1/app:1", some_layer());
  REQUIRE(bench.hub.contents->remove(image.toc->content(0).id));
  const auto answer = bench.ask("localhost:1/app:1");
  CHECK_FALSE(*answer);
  bench.finish_one_of_each();
  REQUIRE(*answer);
  CHECK((*answer)->value().record.toc == image.record.toc);
  CHECK(holds_all(*bench.hub.contents, *image.toc));
}

TEST_CASE("an administrator who adds what is known by its digest is told when it cannot be made whole") {
  looking_library bench;
  auto image = bench.hub.add("localhost:1/app:1", some_layer());
  image.record.source = image.record.reference;
  REQUIRE(bench.hub.catalogue->put(image.record));
  const auto pinned = "localhost:1/app@" + image.record.manifest_digest.oci();
  CHECK((*bench.ask(pinned, source_look::now))->has_value());
  REQUIRE(bench.hub.contents->remove(image.toc->content(0).id));
  const auto answer = bench.ask(pinned, source_look::now);
  bench.finish_one_of_each();
  REQUIRE(*answer);
  CHECK((*answer)->error().code == errc::unavailable);
}
