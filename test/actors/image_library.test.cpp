#include "actors/hub/image_library.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>
#include <vector>

#include "test/harness/layout_builder.hpp"
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
  std::vector<std::string> checked;  ///< what the registries were asked of: image and user
  result<void> registry_says{};
  access_guard guard = stage.keep(stage.system().spawn(
      make_access_guard, access_guard_tools{{},
                                            [this](const image_reference& image, const shared_login& by) {
                                              checked.push_back(image.text() + " by " +
                                                                (by ? by->user : "nobody"));
                                              return registry_says;
                                            },
                                            stage.workers()}));
  image_library library;

  explicit library_bench(std::uint64_t store_bytes_max = 0) {
    hub.source.registry.attempts_max = 1;
    library = stage.keep(stage.system().spawn(
        make_image_library,
        library_tools{*hub.catalogue, *hub.contents, *hub.layers, hub.source, hub.order_limits, *hub.traces,
                      hub.learning, std::chrono::seconds(60), std::make_shared<std::atomic<bool>>(false),
                      guard, store_bytes_max},
        stage.workers(looked)));
  }
  ~library_bench() {
    library = nullptr;
    guard = nullptr;
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
  /// As `firstlight image add`.
  result<known_image> add(const std::string& reference, const std::string& name = "") {
    auto answer = stage.ask<known_image>(
        library, resolve_image{reference, {}, name, 1, {}, {}, source_look::now}, listener);
    stage.run();
    REQUIRE(*answer);
    return **answer;
  }
  library_status status() {
    auto answer = stage.ask<library_status>(library, caf::get_atom_v);
    stage.run();
    return (*answer)->value();
  }
  /// As a node, which logs in to the registry as `user`.
  result<known_image> resolve_for_node(const std::string& reference, const std::string& user = "",
                                       std::optional<toc_id> toc = {}) {
    const auto login =
        user.empty() ? shared_login{} : std::make_shared<const registry_login>(registry_login{.user = user});
    auto answer = stage.ask<known_image>(
        library, resolve_image{reference, {}, {}, 1, toc, image_caller{"node", login}}, listener);
    stage.run();
    REQUIRE(*answer);
    return **answer;
  }
  /// An image that was once taken from a registry that is away now.
  known_image orphan(const std::string& reference, std::int64_t checked_at = 1'700'000'000) {
    auto image = hub.add(reference, some_layer());
    image.record.source = reference;
    image.record.checked_at = checked_at;
    REQUIRE(hub.catalogue->put(image.record));
    return image;
  }
};

/// Nothing listens on this port of the loopback interface.
const std::string away = "localhost:1/app:1";

/// Takes the layer out of a layout: whoever fetches the image now fails.
void lose_layer(const std::string& reference) {
  const std::filesystem::path folder(parse_image_reference(reference).value().path);
  std::vector<std::filesystem::path> blobs;
  for (const auto& blob : std::filesystem::directory_iterator(folder / "blobs" / "sha256"))
    blobs.push_back(blob.path());
  std::filesystem::remove(*std::max_element(blobs.begin(), blobs.end(), [](const auto& a, const auto& b) {
    return std::filesystem::file_size(a) < std::filesystem::file_size(b);
  }));
}

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

TEST_CASE("an image that has no room is refused and leaves nothing, and the next one that has is taken") {
  library_bench bench(3'000'000);
  REQUIRE(bench.resolve(bench.hub.layout(some_layer(1))));
  const auto kept = bench.hub.contents->bytes_stored();
  REQUIRE(kept > 2'000'000);
  const auto second = bench.hub.layout(some_layer(11));
  const auto refused = bench.resolve(second);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::no_space);
  CHECK(refused.error().detail.find("'firstlight image rm'") != std::string::npos);
  CHECK(bench.hub.contents->bytes_stored() == kept);
  // One more image of the same files needs no room.
  CHECK(bench.add(bench.hub.layout(some_layer(1)), "localhost:1/again:1"));
  const auto images = bench.status().images;
  REQUIRE(images.size() == 2);
  for (const auto& image : images) {
    auto gone = bench.stage.ask<image_removed>(bench.library, remove_image{image.reference, image.platform});
    bench.stage.run();
    REQUIRE((*gone)->has_value());
  }
  CHECK(bench.resolve(second));
}

TEST_CASE("an image that has no room is not fetched again for some time, nor is the store swept again") {
  library_bench bench(3'000'000);
  REQUIRE(bench.resolve(bench.hub.layout(some_layer(1))));
  const auto second = bench.hub.layout(some_layer(11));
  CHECK(bench.resolve(second).error().code == errc::no_space);
  CHECK(*bench.looked == 4);  // two images, a sweep, and what is known of layers
  lose_layer(second);
  bench.stage.pass(std::chrono::minutes(5) - std::chrono::seconds(1));
  const auto again = bench.resolve(second);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == errc::no_space);
  CHECK(again.error().detail.find("a moment ago") != std::string::npos);
  CHECK(again.error().detail.find("'firstlight image rm'") != std::string::npos);
  CHECK(*bench.looked == 5);
  bench.stage.pass(std::chrono::seconds(1));
  const auto tried = bench.resolve(second);
  REQUIRE_FALSE(tried);
  CHECK(tried.error().code != errc::no_space);
}

TEST_CASE("an image that had no room is tried at once when its tag means another one") {
  library_bench bench(3'000'000);
  REQUIRE(bench.resolve(bench.hub.layout(some_layer(1))));
  const auto second = bench.hub.layout(some_layer(11));
  CHECK(bench.resolve(second).error().code == errc::no_space);
  const std::filesystem::path folder(parse_image_reference(second).value().path);
  std::filesystem::remove_all(folder);
  write_layout(folder, {some_layer(1)});
  CHECK(bench.resolve(second));
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
  CHECK(bench.status().last_known.size() == 1);
}

TEST_CASE("a registry that was away is asked for nodes once in an interval, until it answers") {
  library_bench bench;
  const auto image = bench.orphan(away);
  const auto first = bench.resolve_for_node(away).value();
  CHECK(first.last_known);
  CHECK(*bench.looked == 1);
  bench.stage.pass(std::chrono::seconds(59));
  const auto second = bench.resolve_for_node(away).value();
  CHECK(*bench.looked == 1);
  CHECK(second.last_known);
  CHECK(second.last_error == first.last_error);
  CHECK(second.record.toc == image.record.toc);
  CHECK(second.toc);
  CHECK(second.order);
  CHECK(bench.status().last_known.size() == 1);
  bench.stage.pass(std::chrono::seconds(1));
  CHECK(bench.resolve_for_node(away).value().last_known);
  CHECK(*bench.looked == 2);
  CHECK(bench.resolve_for_node(away).value().last_known);  // for another interval
  CHECK(*bench.looked == 2);

  // The source is at hand again.
  auto back = image.record;
  back.source = bench.hub.layout(some_layer());
  REQUIRE(bench.hub.catalogue->put(back));
  CHECK(bench.resolve_for_node(away).value().last_known);
  CHECK(*bench.looked == 2);
  bench.stage.pass(std::chrono::seconds(60));
  CHECK_FALSE(bench.resolve_for_node(away).value().last_known);
  CHECK(*bench.looked == 3);
  CHECK(bench.status().last_known.empty());
}

TEST_CASE("the hub's own administrator has a registry that was away asked each time") {
  library_bench bench;
  bench.orphan(away);
  CHECK(bench.resolve_for_node(away).value().last_known);
  CHECK(bench.resolve(away).value().last_known);
  CHECK(bench.resolve(away).value().last_known);
  CHECK(*bench.looked == 3);
}

TEST_CASE("the administrator who adds an image has its source asked, also within the interval") {
  library_bench bench;
  const auto first = bench.add(bench.hub.layout(some_layer(1)), "app:1").value();
  CHECK(bench.resolve("app:1").value().record.toc == first.record.toc);
  CHECK(*bench.looked == 1);
  // The same name for another image.
  const auto other = bench.hub.layout(some_layer(2));
  const auto second = bench.add(other, "app:1").value();
  CHECK(second.record.toc != first.record.toc);
  CHECK(*bench.looked == 3);  // it is looked at, and then taken in
  CHECK(bench.resolve("app:1").value().record.toc == second.record.toc);
  CHECK(bench.add(other, "app:1").value().record.toc == second.record.toc);
  CHECK(*bench.looked == 4);
}

TEST_CASE("an image that is known by its digest has no source to ask, not even for the administrator") {
  library_bench bench;
  const auto image = bench.orphan(away);
  const auto pinned = "localhost:1/app@sha256:" + image.record.manifest_digest.hex();
  CHECK(bench.add(pinned).value().record.toc == image.record.toc);
  CHECK(*bench.looked == 0);
}

TEST_CASE("an unknown image whose registry is away is an error each time, and asked for each time") {
  library_bench bench;
  CHECK(bench.resolve(away).error().code == errc::unavailable);
  CHECK(bench.resolve_for_node(away).error().code == errc::unavailable);
  CHECK(bench.resolve_for_node(away).error().code == errc::unavailable);
  CHECK(*bench.looked == 3);
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

TEST_CASE("a damaged record of an image keeps that image alone from being served, and is removed by name") {
  library_bench bench;
  const auto good = bench.orphan("host.example/good:1", std::time(nullptr));
  const auto bad = bench.hub.add("host.example/bad:1", some_layer(2));
  REQUIRE(
      bench.hub.metadata->put({"image"}, bad.record.reference + '\0' + bad.record.platform, "no message"));
  const auto status = [&] { return bench.status(); };
  const auto remove = [&](const image_record& which) -> result<image_removed> {
    auto answer =
        bench.stage.ask<image_removed>(bench.library, remove_image{which.reference, which.platform});
    bench.stage.run();
    return **answer;
  };
  CHECK(bench.resolve("host.example/good:1"));
  CHECK(bench.resolve("host.example/bad:1").error().code == errc::corrupt);
  CHECK(*bench.looked == 0);  // the registry may have another image of that name
  REQUIRE(status().images.size() == 1);
  CHECK(status().images.front().reference == "host.example/good:1");
  REQUIRE(status().unreadable.size() == 1);
  CHECK(status().unreadable.front().name == "host.example/bad:1");

  // Which contents the damaged one needs is not known.
  const auto stored = bench.hub.contents->bytes_stored();
  CHECK(remove(good.record).error().code == errc::corrupt);
  CHECK(status().images.empty());
  CHECK(bench.hub.contents->bytes_stored() == stored);
  CHECK(remove(bad.record));
  CHECK(status().unreadable.empty());
  CHECK(bench.hub.contents->bytes_stored() == 0);
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

TEST_CASE("a node gets an image of a registry only if that lets its login read the manifest") {
  library_bench bench;
  const auto image = bench.orphan("host.example/app:1", std::time(nullptr));
  const auto manifest = image.record.top_digest.oci();
  CHECK(bench.resolve_for_node("host.example/app:1", "ann"));
  CHECK(bench.checked == std::vector<std::string>{"host.example/app:1@" + manifest + " by ann"});
  bench.registry_says = fail(errc::denied, "log in");
  CHECK(bench.resolve_for_node("host.example/app:1").error().detail == "log in");
  CHECK(bench.resolve("host.example/app:1"));  // the hub's own administrator
  CHECK(*bench.looked == 0);
}

TEST_CASE("no other name of an image leads around the question") {
  library_bench bench;
  const auto image = bench.orphan("host.example/secret:1", std::time(nullptr));
  bench.registry_says = fail(errc::denied, "log in");
  const auto pinned = "@" + image.record.manifest_digest.oci();
  CHECK(bench.resolve_for_node("host.example/secret" + pinned).error().code == errc::denied);
  CHECK(bench.resolve_for_node("host.example/public" + pinned).error().code == errc::denied);
  CHECK(bench.resolve_for_node("host.example/public:1", "", image.record.toc).error().code == errc::denied);
  REQUIRE(bench.checked.size() == 2);  // the third is the first question again
  CHECK(bench.checked.front().find("host.example/secret:1@") == 0);
  CHECK(bench.checked.back().find("host.example/public@") == 0);
}

TEST_CASE("another registry's word opens no image of this one") {
  library_bench bench;
  const auto image = bench.orphan("host.example/secret:1", std::time(nullptr));
  const auto pinned = "@" + image.record.manifest_digest.oci();
  // A registry that says yes to everything: the image itself would have to come from there.
  CHECK_FALSE(bench.resolve_for_node("localhost:1/anything" + pinned, "ann"));
  CHECK(bench.checked == std::vector<std::string>{"localhost:1/anything" + pinned + " by ann"});
  CHECK(*bench.looked == 1);
  // A public image is named, and the table of contents of another one.
  const auto other = "localhost:1/public@sha256:" + std::string(64, 'a');
  bench.checked.clear();
  bench.registry_says = fail(errc::denied, "log in");
  CHECK(bench.resolve_for_node(other, "", image.record.toc).error().code == errc::denied);
  REQUIRE(bench.checked.size() == 1);
  CHECK(bench.checked.front().find("host.example/secret:1@") == 0);
}

TEST_CASE("a login is not shown to another registry than the one that the node has named") {
  library_bench bench;
  auto image = bench.orphan("host.example/app:1", std::time(nullptr));
  image.record.reference = "docker.io/library/app:1";
  REQUIRE(bench.hub.catalogue->put(image.record));
  CHECK(bench.resolve_for_node("app:1", "ann"));
  REQUIRE(bench.checked.size() == 1);
  CHECK(bench.checked.front().find("host.example/app:1@") == 0);
  CHECK(bench.checked.front().find(" by nobody") != std::string::npos);
}

TEST_CASE("a node reads files of the hub's machine only if its administrator has added them") {
  library_bench bench;
  const auto reference = bench.hub.layout(some_layer());
  const auto refused = bench.resolve_for_node(reference);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::denied);
  CHECK(*bench.looked == 0);
  REQUIRE(bench.resolve(reference));
  CHECK(bench.resolve_for_node(reference));
  CHECK(bench.checked.empty());
}
