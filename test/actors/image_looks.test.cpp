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

/// A library that looks at tags in registries, one attempt each.
struct looking_library {
  test_authority authority;
  hub_stores hub{authority};
  actor_stage stage;
  pull_listener listener = stage.keep(stage.system().spawn(deaf_listener));
  image_library library;

  looking_library() {
    hub.source.registry.attempts_max = 1;
    const library_tools tools{*hub.catalogue,
                              *hub.contents,
                              *hub.layers,
                              hub.source,
                              hub.order_limits,
                              *hub.traces,
                              hub.learning,
                              std::chrono::seconds(60),
                              std::make_shared<std::atomic<bool>>(false)};
    library = stage.keep(stage.system().spawn(make_image_library, tools, stage.workers()));
  }
  ~looking_library() {
    library = nullptr;
    listener = nullptr;
  }
  /// An image that was taken from a registry long ago.
  known_image looked_at_long_ago(const std::string& reference) {
    auto image = hub.add(reference, some_layer());
    image.record.source = reference;
    REQUIRE(hub.catalogue->put(image.record));
    return image;
  }
  result<known_image> resolve(const std::string& reference) {
    auto answer = stage.ask<known_image>(library, resolve_image{reference, {}, {}, 1, {}, {}}, listener);
    stage.run();
    REQUIRE(*answer);
    return **answer;
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
  const auto same = bench.looked_at_long_ago("localhost:1/same:1");  // keeps the table of contents
  removed = bench.looked_at_long_ago(reference).record;
  const auto answer = bench.resolve(reference);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == errc::not_found);
  const auto left = bench.hub.catalogue->list().value();
  REQUIRE(left.size() == 1);
  CHECK(left.front().reference == same.record.reference);
  CHECK(same.record.toc == removed.toc);
}
