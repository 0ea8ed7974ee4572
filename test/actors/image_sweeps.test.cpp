#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>

#include "actors/hub/image_library.hpp"
#include "test/harness/node/actor_stage.hpp"
#include "test/harness/node/small_stores.hpp"

using namespace firstlight;

namespace {

pull_listener::behavior_type deaf_listener(pull_listener::pointer) {
  return {[](const incoming_progress&) {}};
}

constexpr std::chrono::minutes removal_wait{10};
constexpr std::chrono::seconds removal_patience{60};
constexpr std::chrono::seconds removal_hold{30};

/// A library whose blocking work is carried out when the test says so. Two images may be added at once.
struct held_library {
  test_authority authority;
  hub_stores hub{authority};
  actor_stage stage;
  actor_stage::held_worker held;
  pull_listener listener = stage.keep(stage.system().spawn(deaf_listener));
  image_library library;

  explicit held_library(std::uint64_t store_bytes_max = 0) { start(store_bytes_max); }
  void start(std::uint64_t store_bytes_max = 0) {
    held = stage.hold_work();
    library_tools tools{*hub.catalogue,
                        *hub.contents,
                        *hub.layers,
                        hub.source,
                        hub.order_limits,
                        *hub.traces,
                        hub.learning,
                        std::chrono::seconds(60),
                        std::make_shared<std::atomic<bool>>(false),
                        {},
                        store_bytes_max};
    tools.removal_wait = removal_wait;
    tools.removal_patience = removal_patience;
    tools.removal_hold = removal_hold;
    tools.due.emplace(*hub.metadata);
    const auto one = caf::actor_cast<worker>(held);
    library = stage.keep(stage.system().spawn(make_image_library, std::move(tools),
                                              worker_pool(std::vector<worker>{one, one})));
    stage.run();
  }
  /// Another process with the same stores. What is held of the one before is never carried out.
  void restart() {
    caf::anon_send_exit(library, caf::exit_reason::kill);
    stage.run();
    start();
  }
  ~held_library() {
    library = nullptr;
    held = nullptr;
    listener = nullptr;
  }
  actor_stage::answer<known_image> ask(const std::string& reference) {
    auto answer = stage.ask<known_image>(library, resolve_image{reference, {}, {}, 1, {}, {}}, listener);
    stage.run();
    return answer;
  }
  actor_stage::answer<image_removed> remove(const image_record& which) {
    auto answer = stage.ask<image_removed>(library, remove_image{which.reference, which.platform});
    stage.run();
    return answer;
  }
  /// An image that has just been checked.
  known_image fresh(const std::string& reference, std::uint32_t seed) {
    auto image = hub.add(reference, some_layer(seed));
    image.record.source = reference;
    image.record.checked_at = std::time(nullptr);
    REQUIRE(hub.catalogue->put(image.record));
    return image;
  }
  void finish_last() { stage.finish_last(held); }
  [[nodiscard]] int layers_known() const {
    int count = 0;
    REQUIRE(hub.metadata->scan({"layer-entries"}, "", [&](auto, auto) { return ++count, scan_step::next; }));
    return count;
  }
  [[nodiscard]] bool is_whole(const known_image& image) const {
    for (std::uint32_t i = 0; i < image.toc->content_count(); ++i)
      if (hub.contents->state(image.toc->content(i).id) != content_state::complete) return false;
    return true;
  }
};

}  // namespace

TEST_CASE("known images are answered while contents are removed, and what shares them is added afterwards") {
  held_library bench;
  const auto going = bench.fresh("localhost:1/going:1", 1);
  const auto staying = bench.fresh("localhost:1/staying:1", 2);
  const auto removed = bench.remove(going.record);
  CHECK_FALSE(*removed);
  const auto known = bench.ask("localhost:1/staying:1");
  REQUIRE(*known);
  CHECK((*known)->value().record.toc == staying.record.toc);

  // The same files as those that go.
  const auto added = bench.ask(bench.hub.layout(some_layer(1)));
  CHECK_FALSE(*added);
  CHECK(bench.is_whole(going));
  bench.finish_last();  // the sweep: of the addition nothing has begun
  REQUIRE(*removed);
  CHECK((*removed)->has_value());
  CHECK_FALSE(bench.is_whole(going));
  CHECK_FALSE(*added);
  bench.finish_last();
  REQUIRE(*added);
  CHECK(bench.is_whole((*added)->value()));
  CHECK(bench.is_whole(staying));
}

TEST_CASE("a tag that has to be looked at is, also while contents are removed") {
  held_library bench;
  const auto going = bench.fresh("localhost:1/going:1", 1);
  const auto staying = bench.hub.add("localhost:1/staying:1", some_layer(2));  // checked long ago
  const auto removed = bench.remove(going.record);
  const auto known = bench.ask("localhost:1/staying:1");
  CHECK_FALSE(*known);
  bench.finish_last();  // the look; the sweep has still to come
  REQUIRE(*known);
  CHECK((*known)->value().record.toc == staying.record.toc);
  CHECK_FALSE((*known)->value().last_known);
  CHECK((*known)->value().record.checked_at > staying.record.checked_at);
  CHECK_FALSE(*removed);
  bench.finish_last();
  REQUIRE(*removed);
  CHECK((*removed)->has_value());
}

TEST_CASE("images are removed and added in turn, as they come while contents are removed") {
  held_library bench;
  const auto first = bench.fresh("localhost:1/first:1", 1);
  const auto second = bench.fresh("localhost:1/second:1", 2);
  const auto first_gone = bench.remove(first.record);
  const auto second_gone = bench.remove(second.record);
  const auto added = bench.ask(bench.hub.layout(some_layer(3)));
  bench.finish_last();
  REQUIRE(*first_gone);
  CHECK_FALSE(*second_gone);
  CHECK(bench.is_whole(second));
  bench.finish_last();
  REQUIRE(*second_gone);
  CHECK((*second_gone)->has_value());
  CHECK(bench.hub.contents->bytes_stored() == 0);

  // Behind the addition.
  const auto unknown = bench.remove(first.record);
  CHECK_FALSE(*unknown);
  bench.finish_last();
  REQUIRE(*added);
  CHECK((*added)->has_value());
  REQUIRE(*unknown);
  CHECK((*unknown)->error().code == errc::not_found);
  CHECK_FALSE(*bench.remove((*added)->value().record));  // its sweep has begun
}

TEST_CASE("an image that is removed behind an addition that waits for a sweep goes after that") {
  held_library bench;
  const auto first = bench.fresh("localhost:1/first:1", 1);
  const auto second = bench.fresh("localhost:1/second:1", 2);
  const auto first_gone = bench.remove(first.record);
  const auto added = bench.ask(bench.hub.layout(some_layer(3)));
  const auto second_gone = bench.remove(second.record);
  bench.finish_last();  // the sweep
  REQUIRE(*first_gone);
  CHECK_FALSE(*second_gone);
  bench.finish_last();
  REQUIRE(*added);
  CHECK((*added)->has_value());
  CHECK_FALSE(*second_gone);
  bench.finish_last();
  REQUIRE(*second_gone);
  CHECK((*second_gone)->has_value());
  CHECK(bench.is_whole((*added)->value()));
}

TEST_CASE("an image that is removed behind an addition goes after that, also behind another removal") {
  held_library bench;
  const auto first = bench.fresh("localhost:1/first:1", 1);
  const auto second = bench.fresh("localhost:1/second:1", 2);
  const auto third = bench.fresh("localhost:1/third:1", 3);
  const auto first_gone = bench.remove(first.record);
  const auto second_gone = bench.remove(second.record);
  const auto added = bench.ask(bench.hub.layout(some_layer(4)));
  const auto third_gone = bench.remove(third.record);
  bench.finish_last();  // the first sweep
  REQUIRE(*first_gone);
  bench.finish_last();  // the second one
  REQUIRE(*second_gone);
  CHECK_FALSE(*third_gone);
  CHECK_FALSE(*added);
  bench.finish_last();
  REQUIRE(*added);
  CHECK_FALSE(*third_gone);
  CHECK(bench.is_whole(third));
  bench.finish_last();
  REQUIRE(*third_gone);
  CHECK((*third_gone)->has_value());
}

TEST_CASE("images that are removed while another one is being added go after that, with one sweep") {
  held_library bench;
  const auto first = bench.fresh("localhost:1/first:1", 1);
  const auto second = bench.fresh("localhost:1/second:1", 2);
  const auto added = bench.ask(bench.hub.layout(some_layer(3)));
  const auto first_gone = bench.remove(first.record);
  const auto second_gone = bench.remove(second.record);
  CHECK(*bench.ask("localhost:1/first:1"));  // until then it is there
  bench.finish_last();
  REQUIRE(*added);
  CHECK((*added)->has_value());
  CHECK_FALSE(*first_gone);
  bench.finish_last();
  REQUIRE(*first_gone);
  CHECK((*first_gone)->has_value());
  REQUIRE(*second_gone);
  CHECK((*second_gone)->has_value());
  CHECK_FALSE(bench.is_whole(first));
  CHECK_FALSE(bench.is_whole(second));
  CHECK(bench.is_whole((*added)->value()));
  CHECK(bench.layers_known() == 3);
  bench.finish_last();  // what goes with them
  CHECK(bench.layers_known() == 1);
}

TEST_CASE("a removal waits for additions only so long, and then leaves its image alone") {
  held_library bench;
  const auto image = bench.fresh("localhost:1/image:1", 1);
  const auto added = bench.ask(bench.hub.layout(some_layer(2)));
  const auto removed = bench.remove(image.record);
  bench.stage.pass(removal_wait - std::chrono::milliseconds(1));
  CHECK_FALSE(*removed);
  bench.stage.pass(std::chrono::milliseconds(1));
  REQUIRE(*removed);
  CHECK((*removed)->error().code == errc::busy);
  CHECK((*removed)->error().detail.find("other images were being added all the time") != std::string::npos);
  bench.finish_last();
  REQUIRE(*added);
  CHECK(*bench.ask("localhost:1/image:1"));
  CHECK(bench.is_whole(image));
  const auto again = bench.remove(image.record);
  bench.finish_last();
  REQUIRE(*again);
  CHECK((*again)->has_value());
}

TEST_CASE("a removal that has waited for a sweep alone is told so") {
  held_library bench;
  const auto first = bench.fresh("localhost:1/first:1", 1);
  const auto second = bench.fresh("localhost:1/second:1", 2);
  const auto first_gone = bench.remove(first.record);
  const auto second_gone = bench.remove(second.record);
  const auto added = bench.ask(bench.hub.layout(some_layer(3)));
  bench.stage.pass(removal_wait);
  REQUIRE(*second_gone);
  CHECK((*second_gone)->error().code == errc::busy);
  CHECK((*second_gone)->error().detail.find("still going from the disk") != std::string::npos);
  bench.finish_last();
  REQUIRE(*first_gone);
  CHECK((*first_gone)->has_value());
  bench.finish_last();
  REQUIRE(*added);
  CHECK((*added)->has_value());
  CHECK(bench.is_whole(second));
}

TEST_CASE("new images wait for a removal that has waited for long, and known ones do not") {
  held_library bench;
  const auto going = bench.fresh("localhost:1/going:1", 1);
  const auto known = bench.fresh("localhost:1/known:1", 2);
  const auto running = bench.ask(bench.hub.layout(some_layer(3)));
  const auto removed = bench.remove(going.record);
  bench.stage.pass(removal_patience);
  const auto later = bench.ask(bench.hub.layout(some_layer(4)));
  const auto status = bench.stage.ask<library_status>(bench.library, caf::get_atom_v);
  CHECK(*bench.ask("localhost:1/known:1"));
  REQUIRE(*status);
  const auto waits = [](const ingestion_status& one) {
    return one.progress.stage == "waiting until an image is removed";
  };
  const auto& ingestions = (*status)->value().ingestions;
  CHECK(std::count_if(ingestions.begin(), ingestions.end(), waits) == 1);
  bench.finish_last();
  REQUIRE(*running);
  CHECK((*running)->has_value());
  CHECK_FALSE(*removed);
  bench.finish_last();
  REQUIRE(*removed);
  CHECK((*removed)->has_value());
  CHECK_FALSE(*later);
  bench.finish_last();
  REQUIRE(*later);
  CHECK((*later)->has_value());
  CHECK(bench.is_whole(known));
}

TEST_CASE("a removal behind a long addition keeps new images waiting for a while only") {
  held_library bench;
  const auto going = bench.fresh("localhost:1/going:1", 1);
  const auto running = bench.ask(bench.hub.layout(some_layer(2)));
  const auto removed = bench.remove(going.record);
  bench.stage.pass(removal_patience);
  const auto later = bench.ask(bench.hub.layout(some_layer(3)));
  bench.stage.pass(removal_hold);
  bench.finish_last();
  REQUIRE(*later);
  CHECK((*later)->has_value());
  CHECK_FALSE(*running);
  CHECK_FALSE(*removed);
  bench.finish_last();
  REQUIRE(*running);
  bench.finish_last();
  REQUIRE(*removed);
  CHECK((*removed)->has_value());
}

TEST_CASE("what a hub that was stopped has left of a removal goes when it starts again") {
  held_library bench;
  const auto going = bench.fresh("localhost:1/going:1", 1);
  const auto staying = bench.fresh("localhost:1/staying:1", 2);
  bench.remove(going.record);
  bench.restart();
  CHECK(bench.is_whole(going));
  bench.finish_last();
  CHECK_FALSE(bench.is_whole(going));
  CHECK(bench.is_whole(staying));
  CHECK_FALSE(sweep_due(*bench.hub.metadata).is_noted().value());

  // Then there is nothing to wait for.
  bench.restart();
  const auto added = bench.ask(bench.hub.layout(some_layer(3)));
  bench.finish_last();
  REQUIRE(*added);
  CHECK((*added)->has_value());
}

TEST_CASE("a removal that is refused leaves nothing to do for the next start") {
  held_library bench;
  const auto image = bench.fresh("localhost:1/image:1", 1);
  CHECK((*bench.remove({.reference = "localhost:1/other:1", .platform = image.record.platform}))
            ->error()
            .code == errc::not_found);
  CHECK_FALSE(sweep_due(*bench.hub.metadata).is_noted().value());
}

TEST_CASE("what a refused image has brought goes when no other image is being added any more") {
  held_library bench(3'000'000);
  const auto kept = bench.fresh("localhost:1/kept:1", 1);
  const auto stored = bench.hub.contents->bytes_stored();
  const auto same_files = bench.ask(bench.hub.layout(some_layer(1)));
  const auto too_large = bench.ask(bench.hub.layout(some_layer(11)));
  bench.finish_last();
  REQUIRE(*too_large);
  CHECK((*too_large)->error().code == errc::no_space);
  const auto crowded = bench.hub.contents->bytes_stored();
  CHECK(crowded > stored);
  CHECK(crowded <= 3'000'000);
  bench.finish_last();
  REQUIRE(*same_files);
  CHECK((*same_files)->has_value());
  CHECK(bench.hub.contents->bytes_stored() == crowded);
  CHECK(*bench.ask("localhost:1/kept:1"));
  CHECK(sweep_due(*bench.hub.metadata).is_noted().value());
  bench.finish_last();  // the sweep
  CHECK_FALSE(sweep_due(*bench.hub.metadata).is_noted().value());
  CHECK(bench.hub.contents->bytes_stored() == stored);
  CHECK(bench.is_whole(kept));
}

TEST_CASE("a removal that comes to nothing leaves a sweep that was wanted before to be carried out") {
  held_library bench(3'000'000);
  const auto kept = bench.fresh("localhost:1/kept:1", 1);
  const auto stored = bench.hub.contents->bytes_stored();
  const auto running = bench.ask(bench.hub.layout(some_layer(1)));
  const auto too_large = bench.ask(bench.hub.layout(some_layer(11)));
  bench.finish_last();
  REQUIRE(*too_large);
  CHECK((*too_large)->error().code == errc::no_space);
  const auto unknown = bench.remove({.reference = "localhost:1/other:1", .platform = kept.record.platform});
  bench.finish_last();
  REQUIRE(*running);
  REQUIRE(*unknown);
  CHECK((*unknown)->error().code == errc::not_found);
  CHECK(bench.hub.contents->bytes_stored() > stored);
  bench.finish_last();  // the sweep
  CHECK(bench.hub.contents->bytes_stored() == stored);
  CHECK(bench.is_whole(kept));
}
