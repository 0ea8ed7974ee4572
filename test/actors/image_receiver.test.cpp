#include "test/actors/receiver_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

segment damaged(segment data) {
  std::vector<std::byte> bytes(data.frame.bytes.begin(), data.frame.bytes.end());
  bytes[bytes.size() / 2] ^= std::byte{0x55};
  data.frame = share(std::move(bytes));
  return data;
}

}  // namespace

TEST_CASE("a delivery is complete with its last segment, before the hub says so, and tells it once") {
  receiver_bench bench;
  auto mountable = bench.stage.ask<mountable_image>(bench.receiver, await_mountable{});
  auto complete = bench.stage.ask<receiver_report>(bench.receiver, await_complete{});
  bench.start();
  CHECK_FALSE(*mountable);
  CHECK_FALSE(bench.give_tree().failure);
  REQUIRE(*mountable);
  CHECK_FALSE(bench.give_contents().failure);
  CHECK((*mountable)->value().record.toc == bench.image.record.toc);
  bench.give_all(1);
  CHECK_FALSE(*complete);
  CHECK(bench.told->completed == 0);
  CHECK(bench.root->starts_sent.empty());
  bench.pass_landmark(landmark::guessed);
  CHECK(bench.root->starts_sent == std::vector{received_name});
  CHECK(bench.root->ended == 0);
  CHECK_FALSE(bench.give(bench.build(0)).failure);
  REQUIRE(*complete);
  bench.pass_landmark(landmark::complete);
  CHECK(bench.root->ended == 1);
  CHECK((*complete)->value().phase == delivery_phase::complete);
  CHECK(bench.told->completed == 1);
  CHECK(bytes_of(*bench.image.toc, bench.told->ready) == bench.image.toc->content_bytes());
  CHECK(bench.node.held(*bench.image.toc).incomplete.empty());
}

TEST_CASE("where blocks came twice, a delivery is complete when the hub says so") {
  receiver_bench bench;
  auto later = bench.stage.ask<receiver_report>(bench.receiver, await_complete{});
  bench.start();
  bench.give_toc();
  while (bench.report().bytes_stored < bench.report().bytes_total) bench.give(bench.build(0));
  CHECK_FALSE(*later);
  CHECK(bench.link->pulls.size() == 1);
  bench.give_all(1);
  CHECK_FALSE(*later);
  bench.pass_landmark(landmark::complete);
  CHECK(*later);
}

TEST_CASE("segments that come before their TOC are taken once it is there") {
  receiver_bench bench;
  bench.start();
  auto early = bench.stage.ask<verdict>(bench.receiver, incoming_segment{bench.delivery(), bench.build(0)});
  bench.stage.run();
  CHECK_FALSE(*early);
  bench.give_toc();
  REQUIRE(*early);
  CHECK_FALSE((*early)->value().failure);
  CHECK_FALSE(bench.told->ready.empty());
}

TEST_CASE("contents that come before their tree are taken once it is there") {
  receiver_bench bench;
  bench.start();
  auto early =
      bench.stage.ask<verdict>(bench.receiver, incoming_toc{bench.delivery(), bench.packed_toc.at(1)});
  bench.stage.run();
  CHECK_FALSE(*early);
  CHECK_FALSE(bench.give_tree().failure);
  REQUIRE(*early);
  CHECK_FALSE((*early)->value().failure);
  CHECK(bench.told->contents_known == 1);
  bench.give_all();
  CHECK(bench.report().phase == delivery_phase::complete);
}

TEST_CASE("segments wait for the contents, and contents that are not the tree's end the delivery") {
  receiver_bench bench;
  bench.start();
  CHECK_FALSE(bench.give_tree().failure);
  auto early = bench.stage.ask<verdict>(bench.receiver, incoming_segment{bench.delivery(), bench.build(0)});
  bench.stage.run();
  CHECK_FALSE(*early);
  CHECK(bench.told->contents_known == 0);
  auto wrong = bench.packed_toc.at(1);
  wrong.frame = bench.packed_toc.at(0).frame;
  wrong.bytes = bench.packed_toc.at(0).bytes;
  CHECK(bench.give_toc(wrong).failure->code == errc::corrupt);
  CHECK(bench.report().phase == delivery_phase::failed);
  REQUIRE(*early);
  CHECK((*early)->value().failure);
}

TEST_CASE("mounts have an image before its tree is stored, and a tree that cannot be ends the delivery") {
  receiver_bench bench;
  auto mountable = bench.stage.ask<mountable_image>(bench.receiver, await_mountable{});
  bench.start();
  const auto folder = bench.node.folder.path() / "tocs";
  REQUIRE(std::filesystem::remove_all(folder) > 0);
  CHECK(bench.give_tree().failure);
  REQUIRE(*mountable);
  CHECK((*mountable)->value().record.toc == bench.image.record.toc);
  CHECK(bench.report().phase == delivery_phase::failed);
  CHECK_FALSE(bench.link->cancels.empty());
}

TEST_CASE("a link that is cut between tree and contents brings both again, for the same image") {
  receiver_bench bench;
  auto mountable = bench.stage.ask<mountable_image>(bench.receiver, await_mountable{});
  bench.start();
  bench.give_tree();
  REQUIRE(*mountable);
  bench.change_link(link_state::down, "cut by the test");
  bench.change_link(link_state::up);
  const auto& again = bench.link->pulls.back().request;
  CHECK(again.toc == bench.image.record.toc);
  CHECK(again.had.empty());
  bench.start();
  CHECK(bench.prepared->started.toc_sent);
  bench.give_toc();
  CHECK((*mountable)->value().toc->contents_known());
  bench.give_all();
  CHECK(bench.report().phase == delivery_phase::complete);
}

TEST_CASE("a reader starts a delivery again that failed between tree and contents") {
  receiver_bench bench;
  bench.start();
  bench.give_tree();
  bench.pass_landmark(landmark::given_up);
  CHECK(bench.report().phase == delivery_phase::failed);
  bench.stage.pass(bench.node.limits.retry_failed_after);
  bench.want_blocks_of(0);
  REQUIRE(bench.link->pulls.size() == 2);
  bench.start();
  bench.give_toc();
  bench.give_all();
  CHECK(bench.report().phase == delivery_phase::complete);
}

TEST_CASE("contents that another delivery has brought are used by this one") {
  receiver_bench bench;
  bench.start();
  bench.give_tree();
  bench.change_link(link_state::down, "cut by the test");
  const receive_tools tools{*bench.node.catalogue, *bench.node.contents, bench.node.anchor,
                            bench.node.limits};
  const wanted_image other{received_name, host_platform().text()};
  const auto image = open_received_tree(tools, other, bench.packed_toc.at(0)).value();
  REQUIRE(keep_contents(tools, image, bench.packed_toc.at(1)));
  bench.change_link(link_state::up);
  bench.start();
  CHECK_FALSE(bench.prepared->started.toc_sent);
  bench.give_all();
  CHECK(bench.report().phase == delivery_phase::complete);
}

TEST_CASE("a hub that goes on with another image than the interrupted one ends the delivery") {
  receiver_bench bench;
  bench.start();
  bench.give_toc();
  const auto other = bench.hub.add(received_name, some_layer(77));
  const pull_request anew{0, received_name, host_platform().text(), {}, std::nullopt};
  const auto frames = prepare_toc(bench.hub.preparation(), other, anew, 1'700'000'000).value();
  bench.give_toc(frames.at(0));
  CHECK(bench.report().phase == delivery_phase::failed);
}

TEST_CASE("a TOC that another cluster has signed ends the delivery with 'denied', started or not") {
  const bool started = GENERATE(true, false);
  receiver_bench bench;
  auto mountable = bench.stage.ask<mountable_image>(bench.receiver, await_mountable{});
  bench.stage.run();
  const test_authority other;
  const toc_statement said{bench.image.record.toc, bench.image.record.manifest_digest, received_name,
                           1'700'000'000};
  bench.prepare();
  auto forged = bench.packed_toc.front();
  forged.origin = sign_toc(other.hub(), said).value();
  if (started) bench.start();
  CHECK(bench.give_toc(forged).failure->code == errc::denied);
  CHECK(bench.give_contents().failure->code == errc::cancelled);
  if (!started) bench.start();
  REQUIRE(*mountable);
  CHECK((*mountable)->error().code == errc::denied);
  CHECK(bench.report().phase == delivery_phase::failed);
  CHECK_FALSE(bench.link->cancels.empty());
  CHECK(bench.node.catalogue->list().value().empty());
}

TEST_CASE("a damaged segment is refused and counted, and its repeat is taken") {
  receiver_bench bench;
  bench.start();
  bench.give_toc();
  CHECK(bench.give(damaged(bench.build(0))).failure->code == errc::corrupt);
  CHECK(bench.report().verification_failures == 1);
  CHECK(bench.told->failed.empty());
  bench.give_all();
  bench.pass_landmark(landmark::complete);
  CHECK(bench.report().phase == delivery_phase::complete);
}

TEST_CASE("a segment that is damaged each time is given up, and its readers are told") {
  receiver_bench bench;
  bench.start();
  bench.give_toc();
  auto complete = bench.stage.ask<receiver_report>(bench.receiver, await_complete{});
  for (std::uint32_t i = 0; i < bench.node.limits.damaged_attempts_max; ++i)
    bench.give(damaged(bench.build(0)));
  CHECK(bench.report().phase == delivery_phase::receiving);
  bench.give(damaged(bench.build(0)));
  CHECK(bench.report().phase == delivery_phase::failed);
  REQUIRE_FALSE(bench.told->failed.empty());
  const auto& sent = bench.prepared->plan->segments[0].runs;
  const auto& failed = bench.told->failed.front().runs;
  REQUIRE_FALSE(failed.empty());
  for (const auto& run : failed)
    CHECK(std::any_of(sent.begin(), sent.end(),
                      [&](const block_run& one) { return one.content == run.content; }));
  CHECK(bench.told->failed.front().why.code == errc::corrupt);
  CHECK((*complete)->error().code == errc::corrupt);
}

TEST_CASE("a cut link is waited for, and the next pull names this TOC and exactly what is there") {
  receiver_bench bench;
  bench.start();
  bench.give_toc();
  bench.give(bench.build(0));
  bench.change_link(link_state::down, "cut by the test");
  CHECK(bench.report().phase == delivery_phase::waiting_for_link);
  CHECK(bench.told->links.back().now == link_state::down);
  REQUIRE(bench.link->pulls.size() == 1);
  bench.change_link(link_state::up);
  REQUIRE(bench.link->pulls.size() == 2);
  const auto& again = bench.link->pulls.back().request;
  CHECK(again.toc == bench.image.record.toc);
  CHECK(again.delivery != bench.link->pulls.front().request.delivery);
  REQUIRE(again.had.size() == 1);
  CHECK(again.had[0].toc == bench.image.record.toc);
  const auto whole = bench.prepared->plan->bytes;
  const auto brought = bench.prepared->plan->segments[0].bytes;
  bench.start();
  CHECK_FALSE(bench.prepared->started.toc_sent);
  CHECK(bench.prepared->plan->bytes == whole - brought);
  bench.give_all();
  bench.pass_landmark(landmark::complete);
  CHECK(bench.report().phase == delivery_phase::complete);
}

TEST_CASE("a hub that is away before the TOC came is an error for who asked") {
  receiver_bench bench;
  auto mountable = bench.stage.ask<mountable_image>(bench.receiver, await_mountable{});
  bench.stage.run();
  bench.link->answer(fail(errc::unavailable, "no link"));
  REQUIRE(*mountable);
  CHECK((*mountable)->error().code == errc::unavailable);
}

TEST_CASE("who asks after a delivery has failed is told the same as who asked before") {
  receiver_bench bench;
  bench.link->answer(fail(errc::denied, "log in"));
  auto mountable = bench.stage.ask<mountable_image>(bench.receiver, await_mountable{});
  auto complete = bench.stage.ask<receiver_report>(bench.receiver, await_complete{});
  bench.stage.run();
  REQUIRE((*mountable && *complete));
  CHECK((*mountable)->error() == error{errc::denied, "log in"});
  CHECK((*complete)->error() == error{errc::denied, "log in"});
}

TEST_CASE("a hub that cannot answer for a while is asked again after a pause, and nothing fails") {
  receiver_bench bench;
  bench.start();
  bench.give_toc();
  bench.change_link(link_state::down, "cut by the test");
  bench.change_link(link_state::up);
  REQUIRE(bench.link->pulls.size() == 2);
  const auto code = GENERATE(errc::unavailable, errc::timed_out, errc::busy);
  bench.link->answer(fail(code, "the registry is away"));
  REQUIRE_FALSE(bench.link->joining.empty());
  bench.link->act([&] { bench.link->joining.back().deliver(link_status{}); });
  CHECK(bench.link->pulls.size() == 2);
  CHECK(bench.told->failed.empty());
  bench.stage.pass(bench.node.limits.retry_failed_after);
  CHECK(bench.link->pulls.size() == 3);
}

TEST_CASE("a delivery that the hub gives up fails at once; a later reader starts it again") {
  receiver_bench bench;
  bench.start();
  bench.give_toc();
  bench.give(bench.build(0));
  auto complete = bench.stage.ask<receiver_report>(bench.receiver, await_complete{});
  bench.pass_landmark(landmark::given_up);
  REQUIRE(*complete);
  CHECK((*complete)->error().code == errc::unavailable);
  REQUIRE(bench.told->failed.size() == 1);
  CHECK(bench.told->failed.back().runs.empty());
  bench.want_blocks_of(0);
  REQUIRE(bench.told->failed.size() == 2);
  CHECK(bench.told->failed.back().runs == std::vector<block_run>{{0, 0, 1}});
  CHECK(bench.link->pulls.size() == 1);
  bench.stage.pass(bench.node.limits.retry_failed_after);
  bench.want_blocks_of(0);
  CHECK(bench.link->pulls.size() == 2);
}

TEST_CASE("an image whose contents came another way is complete without its hub") {
  receiver_bench bench;
  bench.start();
  bench.give_toc();
  bench.change_link(link_state::down, "cut by the test");
  segment_reader reader(*bench.node.contents, bench.image.toc);
  for (std::uint32_t i = 0; i < bench.prepared->plan->segments.size(); ++i)
    REQUIRE(reader.read(bench.build(i)).value().failed.empty());
  caf::anon_send(bench.receiver, brought_otherwise{bench.image.record.toc});
  bench.stage.run();
  CHECK(bench.told->completed == 1);
  CHECK(bench.report().phase == delivery_phase::complete);
}

TEST_CASE("a hub that says 'all was sent' without sending all is asked again, and not for ever") {
  receiver_bench bench;
  bench.start();
  bench.give_toc();
  for (std::uint32_t i = 0; i <= bench.node.limits.damaged_attempts_max; ++i) {
    CHECK(bench.report().phase == delivery_phase::receiving);
    bench.pass_landmark(landmark::complete);
    if (i < bench.node.limits.damaged_attempts_max) bench.start();
  }
  CHECK(bench.report().phase == delivery_phase::failed);
  CHECK(bench.told->completed == 0);
}
