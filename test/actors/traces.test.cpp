#include <set>

#include "actors/hub/hub_traces.hpp"
#include "schemas/trace_json.hpp"
#include "test/actors/aggregator_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

TEST_CASE("a trace becomes the order of its image, and planners are told") {
  aggregator_bench bench;
  REQUIRE(bench.report(start_of(bench.image, 1, {"c", "a"})));
  CHECK(bench.told->orders.empty());
  bench.learn();
  REQUIRE(bench.told->orders.size() == 1);
  CHECK(bench.told->orders[0].toc == bench.image.record.toc);
  CHECK(bench.told->orders[0].order->traces == 1);
  CHECK(bench.expected(bench.image) == std::vector<std::string>{"c", "a"});
  CHECK(bench.hub.traces->of_image(bench.image.record.toc).value()[0].node == "n1");
}

TEST_CASE("the same trace again is confirmed and counts once") {
  aggregator_bench bench;
  const auto recorded = start_of(bench.image, 1, {"c"});
  REQUIRE(bench.report(recorded));
  bench.learn();
  REQUIRE(bench.report(recorded));
  bench.learn();
  CHECK(bench.told->orders.size() == 1);
  CHECK(bench.status().received == 1);
  CHECK(bench.status().repeated == 1);
}

TEST_CASE("traces that come together are learned from together") {
  aggregator_bench bench;
  for (std::uint8_t id = 1; id <= 5; ++id) REQUIRE(bench.report(start_of(bench.image, id, {"b"})));
  bench.learn();
  REQUIRE(bench.told->orders.size() == 1);
  CHECK(bench.told->orders[0].order->traces == 5);
}

TEST_CASE("a trace that comes before its image teaches once the image is there") {
  aggregator_bench bench;
  known_image later = bench.image;
  {
    hub_stores elsewhere(bench.authority);
    later = elsewhere.add("example.com/later:1", tar_of({"x", "y"}));
    REQUIRE(bench.report(start_of(later, 1, {"y"})));
  }
  bench.learn();
  CHECK(bench.told->orders.empty());
  const auto added = bench.hub.add("example.com/later:1", tar_of({"x", "y"}));
  REQUIRE(added.record.toc == later.record.toc);
  CHECK(bench.expected(added) == std::vector<std::string>{"y"});
}

TEST_CASE("an image without traces takes those of its nearest relative, until it has its own") {
  aggregator_bench bench;
  REQUIRE(bench.report(start_of(bench.image, 1, {"c", "a"})));
  bench.learn();
  const auto next = bench.hub.add("example.com/app:2", tar_of({"a", "b", "c", "d"}));
  const auto order = bench.hub.catalogue->order(next.record.toc).value();
  CHECK(order.relative == "example.com/app:1");
  CHECK(bench.expected(next) == std::vector<std::string>{"c", "a"});
  REQUIRE(bench.report(start_of(next, 2, {"d"})));
  bench.learn();
  CHECK(bench.expected(next) == std::vector<std::string>{"d"});
  CHECK(bench.hub.catalogue->order(next.record.toc).value().relative.empty());
}

TEST_CASE("of each run of a learned order it is shown which share of the starts has read it") {
  aggregator_bench bench;
  const hub_trace_tools tools{*bench.hub.catalogue, *bench.hub.traces, bench.hub.learning,
                              bench.image.record.platform};
  const auto shown = [&] { return show_traces(tools, {"example.com/app:1", "", 10}).value().order; };
  for (const auto& run : shown()) CHECK(run.read_percent == 0);  // guessed
  REQUIRE(bench.report(start_of(bench.image, 1, {"c", "a"}), "n1"));
  REQUIRE(bench.report(start_of(bench.image, 2, {"c"}), "n2"));
  bench.learn();
  const auto order = shown();
  REQUIRE(order.size() >= 2);
  CHECK(order[0] == admin_order_run{"c", 0, 1, true, 100});
  CHECK(order[1] == admin_order_run{"a", 0, 1, true, 50});
  for (std::size_t i = 2; i < order.size(); ++i) CHECK(order[i].read_percent == 0);
}

TEST_CASE("an image whose traces are removed is guessed again") {
  aggregator_bench bench;
  const auto guessed = bench.hub.catalogue->order(bench.image.record.toc).value();
  REQUIRE(bench.report(start_of(bench.image, 1, {"c", "a"})));
  bench.learn();
  const hub_trace_tools tools{*bench.hub.catalogue, *bench.hub.traces, bench.hub.learning,
                              bench.image.record.platform};
  REQUIRE(remove_traces(tools, {"example.com/app:1", "", id_of(1).value.hex().substr(0, 6)})->traces == 1);
  caf::anon_send(bench.aggregator, learn_again{bench.image.record.toc});
  bench.learn();
  CHECK(bench.hub.catalogue->order(bench.image.record.toc).value() == guessed);
  REQUIRE(bench.report(start_of(bench.image, 1, {"c", "a"})));  // it does not come back
  CHECK(bench.hub.traces->of_image(bench.image.record.toc)->empty());
}

TEST_CASE("an image that took the traces of another is guessed again once those are removed") {
  aggregator_bench bench;
  const hub_trace_tools tools{*bench.hub.catalogue, *bench.hub.traces, bench.hub.learning,
                              bench.image.record.platform};
  const auto follower = bench.hub.add("example.com/app:2", tar_of({"a", "b", "c", "d"}));
  const auto guessed = bench.hub.catalogue->order(follower.record.toc).value();
  for (std::uint8_t id = 1; id <= 2; ++id) REQUIRE(bench.report(start_of(bench.image, id, {"c", "a"})));
  bench.learn();
  REQUIRE(bench.hub.catalogue->order(follower.record.toc)->relative == "example.com/app:1");
  const auto remove = [&](const std::string& id) {
    const auto removed = remove_traces(tools, {"example.com/app:1", "", id});
    REQUIRE(removed);
    for (const auto& image : removed->images) caf::anon_send(bench.aggregator, learn_again{image});
    bench.learn();
  };
  remove(id_of(1).value.hex());
  CHECK(bench.hub.catalogue->order(follower.record.toc)->traces == 1);
  remove({});
  CHECK(bench.hub.catalogue->order(follower.record.toc).value() == guessed);
  CHECK(bench.told->orders.back().toc == follower.record.toc);
  CHECK(bench.hub.traces->unlearned()->empty());
}

TEST_CASE("an image that took traces of one that is gone is guessed again once those are removed") {
  aggregator_bench bench;
  const hub_trace_tools tools{*bench.hub.catalogue, *bench.hub.traces, bench.hub.learning,
                              bench.image.record.platform};
  REQUIRE(bench.report(start_of(bench.image, 1, {"c", "a"})));
  const auto moved = bench.hub.add("example.com/app:1", tar_of({"a", "b", "c", "d"}));
  bench.learn();
  REQUIRE(bench.hub.catalogue->order(moved.record.toc)->relative == "example.com/app:1");
  SECTION("by a user") {
    const auto removed = remove_traces(tools, {});
    REQUIRE(removed);
    for (const auto& image : removed->images) caf::anon_send(bench.aggregator, learn_again{image});
  }
  SECTION("because there is no room for them") {
    bench.hub.learning.orphans = {.count_max = 0};
    const auto other = bench.hub.add("example.com/other:1", tar_of({"x"}));
    REQUIRE(bench.report(start_of(other, 2, {"x"})));
  }
  bench.learn();
  CHECK(bench.hub.catalogue->order(moved.record.toc)->relative.empty());
  CHECK(bench.hub.catalogue->order(moved.record.toc)->traces == 0);
}

TEST_CASE("traces are given out in pages, each once, at least one in a page") {
  aggregator_bench bench;
  hub_trace_tools tools{*bench.hub.catalogue, *bench.hub.traces, bench.hub.learning,
                        bench.image.record.platform};
  for (std::uint8_t id = 1; id <= 5; ++id) REQUIRE(bench.report(start_of(bench.image, id, {"c", "a"})));
  const auto size = export_traces(tools, {})->traces.front().json.size();
  const auto [page_bytes, per_page] = GENERATE_COPY(values<std::pair<std::uint64_t, std::size_t>>(
      {{1, 1}, {2 * size, 2}, {3 * size - 1, 2}, {100 * size, 5}}));
  tools.page_bytes = page_bytes;
  std::set<std::string> ids;
  admin_trace_export asked{bench.image.record.reference, "", ""};
  for (bool more = true; more;) {
    const auto page = export_traces(tools, asked);
    REQUIRE(page);
    CHECK(page->traces.size() <= per_page);
    REQUIRE_FALSE(page->traces.empty());
    for (const auto& one : page->traces) CHECK(ids.insert(one.id).second);
    asked.after = page->traces.back().id;
    more = page->more;
  }
  CHECK(ids.size() == 5);
}

TEST_CASE("a trace file is taken in for the image that it names, and given out as it was") {
  aggregator_bench bench;
  const hub_trace_tools tools{*bench.hub.catalogue, *bench.hub.traces, bench.hub.learning,
                              bench.image.record.platform};
  const std::string text =
      R"({"group":"default","image":{"n":"example.com/app","t":"1"},)"
      R"("start":"2021-12-03T04:05:06Z","seq":[{"f":"c","a":5,"w":0},{"f":"a","a":7,"w":1}]})";
  const auto read = read_trace_file(tools, text, "");
  REQUIRE(read);
  CHECK(read->toc == bench.image.record.toc);
  REQUIRE(bench.report(*read, ""));
  bench.learn();
  CHECK(bench.expected(bench.image) == std::vector<std::string>{"c", "a"});
  const auto texts = export_traces(tools, {"example.com/app:1", ""});
  REQUIRE(texts);
  REQUIRE(texts->traces.size() == 1);
  CHECK(texts->traces[0].json == text);
  CHECK_FALSE(texts->more);
  CHECK(read_trace_file(tools,
                        R"({"image":{"n":"example.com/none"},"start":"2021-12-03T04:05:06Z","seq":[]})", "")
            .error()
            .code == errc::not_found);
}

TEST_CASE("orders are scored by starts that they were not learned from") {
  aggregator_bench bench;
  for (std::uint8_t id = 1; id <= 3; ++id) REQUIRE(bench.report(start_of(bench.image, id, {"c", "b", "a"})));
  const hub_trace_tools tools{*bench.hub.catalogue, *bench.hub.traces, bench.hub.learning,
                              bench.image.record.platform};
  const auto scores = score_traces(
      tools, {.reference = "example.com/app:1", .orders = {"traced", "image", "oracle"}, .plot = true});
  REQUIRE(scores);
  REQUIRE(scores->rows.size() == 9);
  CHECK(scores->rows[0].stall_us == scores->rows[6].stall_us);
  CHECK(scores->rows[0].sent_bytes == scores->rows[0].touched_bytes);
  CHECK(scores->svg.starts_with("<svg"));
  CHECK(score_traces(tools, {.reference = "example.com/app:1", .orders = {"best"}}).error().code ==
        errc::invalid_argument);
}

TEST_CASE("scores count packed bytes when asked to") {
  aggregator_bench bench;
  for (std::uint8_t id = 1; id <= 2; ++id) REQUIRE(bench.report(start_of(bench.image, id, {"c"})));
  hub_trace_tools tools{*bench.hub.catalogue, *bench.hub.traces, bench.hub.learning,
                        bench.image.record.platform};
  tools.packs.contents = bench.hub.contents.get();
  tools.packs.cut.first_segment_bytes = 1;  // each file is a segment
  admin_trace_score asked{.reference = "example.com/app:1", .orders = {"traced", "image"}};
  CHECK(score_traces(tools, asked)->rows[0].packed_sent_bytes == 0);
  asked.packed = true;
  const auto rows = score_traces(tools, asked).value().rows;
  REQUIRE(rows.size() == 4);
  const auto &traced = rows[0], &image = rows[2];
  CHECK(traced.packed_touched_bytes > 0);
  CHECK(traced.packed_touched_bytes == image.packed_touched_bytes);
  CHECK(traced.packed_sent_bytes >= traced.packed_touched_bytes);
  CHECK(image.packed_sent_bytes >= 2 * traced.packed_sent_bytes);  // "c" is the last of three
}

TEST_CASE("a node cannot choose when its traces count, nor be taken for a user's files") {
  aggregator_bench bench;
  auto lying = start_of(bench.image, 1, {"c"});
  lying.started = now + 23h;
  lying.received = now + 5000h;
  lying.spelling = {"example.com/another", "1", true};
  REQUIRE(bench.report(lying, "import"));
  const auto kept = bench.hub.traces->of_image(bench.image.record.toc).value().at(0);
  CHECK(kept.started == now);
  CHECK(kept.received == now);
  CHECK(kept.node != imported_node);
  CHECK(kept.spelling == trace_spelling{});
}

TEST_CASE("a trace from before what is still known of removed ones is refused") {
  aggregator_bench bench;
  auto old = start_of(bench.image, 1, {"c"});
  old.started = now - bench.hub.learning.kept.removed_time - 1s;
  CHECK(bench.report(old).error().code == errc::invalid_argument);
  old.received = old.started;
  CHECK(bench.report(old, "").error().code == errc::invalid_argument);
  old.received = now - 1h;
  CHECK(bench.report(old, ""));
}

TEST_CASE("traces of images that nobody has are kept within a limit") {
  aggregator_bench bench;
  bench.hub.learning.orphans = {.count_max = 3};
  REQUIRE(bench.report(start_of(bench.image, 100, {"c"})));
  for (std::uint8_t id = 1; id <= 9; ++id) {
    auto invented = start_of(bench.image, id, {"x"});
    invented.toc.value.bytes[0] = std::byte{id};
    REQUIRE(bench.report(invented));
  }
  bench.learn();
  CHECK(bench.hub.traces->images()->size() == 4);
  CHECK(bench.hub.traces->images()->contains(bench.image.record.toc));
}

TEST_CASE("traces of images that are gone are listed, and removed when a user asks for it") {
  aggregator_bench bench;
  const hub_trace_tools tools{*bench.hub.catalogue, *bench.hub.traces, bench.hub.learning,
                              bench.image.record.platform};
  REQUIRE(bench.report(start_of(bench.image, 1, {"c"})));
  const auto moved = bench.hub.add("example.com/app:1", tar_of({"a", "b", "d"}));
  REQUIRE(bench.report(start_of(moved, 2, {"d"})));
  const auto list = list_traces(tools).value();
  REQUIRE(list.images.size() == 2);
  CHECK(list.images[1].platform.empty());
  CHECK(list.images[1].toc == bench.image.record.toc.value.hex());
  CHECK(remove_traces(tools, {})->traces == 1);
  CHECK(list_traces(tools)->images.size() == 1);
  CHECK(bench.hub.traces->of_image(moved.record.toc)->size() == 1);
}

TEST_CASE("what was kept and not learned before the end of the hub is learned when it starts") {
  aggregator_bench bench;
  REQUIRE(bench.report(start_of(bench.image, 1, {"c", "a"})));  // and it ends before the next tick
  const auto next = bench.spawn(bench.stage.workers());
  caf::anon_send_exit(bench.aggregator, caf::exit_reason::kill);
  bench.stage.run();
  bench.learn();
  CHECK(bench.expected(bench.image) == std::vector<std::string>{"c", "a"});
  CHECK(bench.hub.traces->unlearned()->empty());
}

TEST_CASE("an image that was there before its relative's traces takes them when they come") {
  aggregator_bench bench;
  const auto next = bench.hub.add("example.com/app:2", tar_of({"a", "b", "c", "d"}));
  const auto other = bench.hub.add("example.com/other:1", tar_of({"x", "y", "z"}));
  REQUIRE(bench.report(start_of(bench.image, 1, {"c", "a"})));
  bench.learn();
  CHECK(bench.expected(next) == std::vector<std::string>{"c", "a"});
  CHECK(bench.hub.catalogue->order(other.record.toc)->relative.empty());
}

TEST_CASE("an image that takes the traces of another does so although the hub ends before it was learned") {
  aggregator_bench bench;
  const auto follower = bench.hub.add("example.com/app:2", tar_of({"a", "b", "c", "d"}));
  auto held = bench.stage.hold_work();
  caf::anon_send_exit(std::exchange(bench.aggregator, bench.spawn(worker_pool({held}))),
                      caf::exit_reason::kill);
  REQUIRE(bench.report(start_of(bench.image, 1, {"c", "a"})));
  bench.learn();
  const int done = GENERATE(0, 1, 2);  // the leader learned, its followers found
  for (int i = 0; i < done; ++i) bench.stage.finish_last(held);
  CHECK(bench.hub.catalogue->order(follower.record.toc)->relative.empty());
  caf::anon_send_exit(bench.aggregator, caf::exit_reason::kill);
  bench.stage.run();
  held = nullptr;

  bench.aggregator = bench.spawn(bench.stage.workers());
  bench.stage.run();
  bench.learn();
  CHECK(bench.expected(bench.image) == std::vector<std::string>{"c", "a"});
  CHECK(bench.expected(follower) == std::vector<std::string>{"c", "a"});
  CHECK(bench.hub.traces->unlearned()->empty());
}

TEST_CASE("an image that shares contents with the traced one takes its traces, if it is looked at") {
  aggregator_bench bench;
  const auto other = bench.hub.add("example.com/other:1", tar_of({"a", "b", "c", "e"}));
  const bool looked_at = GENERATE(true, false);
  if (!looked_at) bench.hub.learning.followers_max = 0;
  REQUIRE(bench.report(start_of(bench.image, 1, {"c", "a"})));
  bench.learn();
  const auto order = bench.hub.catalogue->order(other.record.toc).value();
  CHECK(order.relative == (looked_at ? "example.com/app:1" : ""));
  REQUIRE(bench.told->orders.size() == (looked_at ? 2 : 1));
  CHECK(bench.told->orders[0].toc == bench.image.record.toc);
}

TEST_CASE("an image takes the traces of another version that this hub has never had") {
  aggregator_bench bench;
  auto elsewhere = start_of(bench.image, 1, {"gone", "c", "a"});
  elsewhere.toc.value.bytes[0] ^= std::byte{1};
  elsewhere.reference = "example.com/app:0";
  REQUIRE(bench.report(elsewhere, ""));  // of another hub
  bench.learn();
  REQUIRE(bench.told->orders.size() == 1);
  CHECK(bench.told->orders[0].toc == bench.image.record.toc);
  CHECK(bench.told->orders[0].order->relative == "example.com/app:0");
  CHECK(bench.expected(bench.image) == std::vector<std::string>{"c", "a"});
  REQUIRE(bench.report(start_of(bench.image, 2, {"b"})));
  bench.learn();
  CHECK(bench.expected(bench.image) == std::vector<std::string>{"b"});
}

TEST_CASE("an image that was there before is not told of again when a relative's trace changes nothing") {
  aggregator_bench bench;
  const auto nearer = bench.hub.add("example.com/side:1", tar_of({"a", "b", "c", "d", "e"}));
  const auto other = bench.hub.add("example.com/other:1", tar_of({"a", "b", "c", "d"}));
  REQUIRE(bench.report(start_of(nearer, 1, {"d"})));
  bench.learn();
  REQUIRE(bench.hub.catalogue->order(other.record.toc)->relative == "example.com/side:1");
  const auto before = bench.told->orders.size();
  REQUIRE(bench.report(start_of(bench.image, 2, {"c"})));
  bench.learn();
  CHECK(bench.told->orders.size() == before + 1);
  CHECK(bench.status().learned == bench.told->orders.size());
}

TEST_CASE("a tag that means another image takes the traces of what it meant before") {
  aggregator_bench bench;
  REQUIRE(bench.report(start_of(bench.image, 1, {"c", "a"})));
  bench.learn();
  const auto moved = bench.hub.add("example.com/app:1", tar_of({"a", "b", "c", "d"}));
  REQUIRE(moved.record.toc != bench.image.record.toc);
  REQUIRE_FALSE(bench.hub.catalogue->find_toc(bench.image.record.toc).value());
  CHECK(bench.expected(moved) == std::vector<std::string>{"c", "a"});
}

TEST_CASE("a trace file that was removed is taken in again when a user asks for it") {
  aggregator_bench bench;
  const hub_trace_tools tools{*bench.hub.catalogue, *bench.hub.traces, bench.hub.learning,
                              bench.image.record.platform};
  const std::string text = R"({"group":"default","image":{"n":"example.com/app","t":"1"},)"
                           R"("start":"2021-12-03T04:05:06Z","seq":[{"f":"c","a":5,"w":0}]})";
  const auto first = trace_to_import(tools, text, "").value();
  REQUIRE(bench.report(first.value(), ""));
  CHECK_FALSE(trace_to_import(tools, text, "").value());
  REQUIRE(bench.hub.traces->remove(first->id));
  const auto again = trace_to_import(tools, text, "").value();
  REQUIRE(again);
  REQUIRE(bench.report(*again, ""));
  CHECK(bench.hub.traces->of_image(bench.image.record.toc)->size() == 1);
}
