#include "test/actors/kept_image.hpp"
#include "test/actors/receiver_bench.hpp"
#include "test/actors/root_bench.hpp"

/// Deliveries that wait for their hub, or have failed: they write nothing, so images are evicted meanwhile.
using namespace firstlight;

namespace {

/// A node's root whose hub is away, with an image that is there in part since an earlier process, and another
/// one that is whole.
struct away_bench {
  kept_image half;
  kept_image whole;
  root_bench all;

  explicit away_bench(std::uint64_t store_bytes_max = 0)
      : all(
            [this](node_stores& node) {
              half = keep_image(node, "example.com/half:1", {"shared", "two"}, 1);
              whole = keep_image(node, root_bench::image, {"shared", "three"}, 2);
            },
            store_bytes_max) {
    all.stage.run();
    REQUIRE(all.link->pulls.size() == 1);
  }
  void say_that_hub_is_away() { all.link->answer(fail(errc::unavailable, "no link")); }
  void send_link_up() { caf::anon_send(all.link->pulls.at(0).to, link_changed{link_state::up, {}}); }
  actor_stage::answer<admin_message> ask_to_evict(const kept_image& image) {
    const admin_request asked = admin_evict{.reference = image.name.reference};
    return all.stage.ask<admin_message>(all.root, admin_message{encode(asked)}, make_client(all.stage));
  }
  result<admin_evicted> evict(const admin_evict& what) { return all.admin<admin_evicted>(what); }
  [[nodiscard]] bool has(const kept_image& image, std::size_t file) const {
    return has_file(all.node, image, file);
  }
};

}  // namespace

TEST_CASE("while a delivery waits for the hub images are evicted, and its own with it") {
  away_bench bench;
  const auto ended = bench.all.end_of_delivery();
  CHECK(bench.evict({.reference = root_bench::image}).error().code == errc::busy);
  CHECK(bench.evict({.reference = bench.half.name.reference}).error().code == errc::busy);
  bench.say_that_hub_is_away();
  SECTION("another one, but not what both have") {
    CHECK(bench.evict({.reference = root_bench::image}).value().bytes == 5);
    CHECK_FALSE(is_known(bench.all.node, bench.whole));
    CHECK_FALSE(bench.has(bench.whole, 1));
    CHECK(bench.has(bench.half, 0));
    CHECK_FALSE(*ended);
  }
  SECTION("one that containerd gives up") {
    REQUIRE(bench.all.node.catalogue->hold_for_containerd(bench.whole.name));
    CHECK(bench.all.forget());
    CHECK_FALSE(bench.has(bench.whole, 1));
    CHECK_FALSE(*ended);
  }
  SECTION("its own") {
    CHECK(bench.evict({.reference = bench.half.name.reference}));
    CHECK(*ended);
    CHECK_FALSE(is_known(bench.all.node, bench.half));
    CHECK(bench.has(bench.whole, 0));
  }
  SECTION("all") {
    CHECK(bench.evict({}).value().references.size() == 2);
    CHECK(*ended);
    CHECK(bench.all.node.contents->bytes_stored() == 0);
  }
}

TEST_CASE("a store above its limit forgets images while a delivery waits for the hub, but not what it has") {
  away_bench bench(1);
  CHECK(is_known(bench.all.node, bench.whole));
  bench.say_that_hub_is_away();
  CHECK_FALSE(is_known(bench.all.node, bench.whole));
  CHECK(is_known(bench.all.node, bench.half));
  CHECK(bench.has(bench.half, 0));
}

TEST_CASE("a delivery that goes on keeps images from being evicted again") {
  away_bench bench;
  bench.say_that_hub_is_away();
  bench.send_link_up();
  bench.all.stage.run();
  REQUIRE(bench.all.link->pulls.size() == 2);
  CHECK(bench.evict({.reference = root_bench::image}).error().code == errc::busy);
  bench.say_that_hub_is_away();
  CHECK(bench.evict({.reference = root_bench::image}));
}

TEST_CASE("of an eviction and a hub that comes back at the same time one is first, and the other knows") {
  const bool link_first = GENERATE(false, true);
  away_bench bench;
  bench.say_that_hub_is_away();
  if (link_first) bench.send_link_up();
  const auto evicted = bench.ask_to_evict(bench.half);
  if (!link_first) bench.send_link_up();
  bench.all.stage.run();
  REQUIRE(*evicted);
  const bool gone = (*evicted)->has_value();
  CHECK(is_known(bench.all.node, bench.half) == !gone);
  CHECK(bench.all.link->pulls.size() == (gone ? 1 : 2));
}

TEST_CASE(
    "a delivery rests once its last step is over, then refuses what comes, and asks before it goes on") {
  receiver_bench bench(std::nullopt, step_pace::held);
  const auto finish = [&] { bench.stage.finish_last(bench.held); };
  const auto send = [&](const auto& what) {
    auto answer = bench.stage.ask<verdict>(bench.receiver, what);
    bench.stage.run();
    return answer;
  };
  finish();  // what the pull says
  bench.start();
  for (const auto& part : bench.packed_toc) {
    send(incoming_toc{bench.delivery(), part});
    finish();
  }
  const auto taken = send(incoming_segment{bench.delivery(), bench.build(0)});
  bench.change_link(link_state::down, "cut by the test");
  CHECK(bench.root->rests == 0);
  finish();
  REQUIRE(*taken);
  CHECK_FALSE((*taken)->value().failure);
  CHECK(bench.root->rests == 1);

  CHECK(bench.give(bench.build(1)).failure->code == errc::cancelled);
  CHECK(bench.give_tree().failure->code == errc::cancelled);
  bench.root->lets_write = false;
  bench.change_link(link_state::up);
  CHECK(bench.root->asked_to_write == 1);
  CHECK(bench.link->pulls.size() == 1);
}

TEST_CASE("a failed delivery rests until a reader starts it again, and rests each time anew") {
  receiver_bench bench;
  bench.start();
  bench.give_toc();
  bench.pass_landmark(landmark::given_up);
  CHECK(bench.root->rests == 1);
  bench.stage.pass(bench.node.limits.retry_failed_after);
  bench.want_blocks_of(0);
  CHECK(bench.root->asked_to_write == 1);
  REQUIRE(bench.link->pulls.size() == 2);
  CHECK(bench.root->rests == 1);
  bench.link->answer(fail(errc::denied, "log in"));
  CHECK(bench.root->rests == 2);
}
