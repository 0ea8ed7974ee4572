#include "actors/hub/hub_reports.hpp"
#include "test/actors/session_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

TEST_CASE("a session sends no more than its credit, one segment if there is none, and goes on with answers") {
  session_bench bench(1);
  const auto started = bench.start();
  for (std::uint32_t i = 1; i <= started.segments; ++i) {
    CHECK(bench.link->in_flight.size() == 1);
    CHECK(bench.link->segments.size() == i);
    bench.answer();
  }
  CHECK(bench.link->in_flight.empty());
  CHECK(bench.running_deliveries() == 0);
}

TEST_CASE("what the node has received is off the link: the next leaves before the verdict") {
  session_bench bench(1);
  bench.start();
  REQUIRE(bench.link->segments.size() == 1);
  bench.send(part_received{1, bench.link->segments.front().data.sequence});
  CHECK(bench.link->segments.size() == 2);
  CHECK(bench.link->in_flight.size() == 2);
  bench.answer();
  CHECK(bench.link->segments.size() == 2);
}

TEST_CASE("with credit for all, all segments are on their way at once") {
  session_bench bench(64U << 20U);
  const auto started = bench.start();
  CHECK(started.segments > 5);
  CHECK(bench.link->in_flight.size() == started.segments);
}

TEST_CASE("segments leave in the order of the plan, in whichever order they are built") {
  session_bench bench(64U << 20U, session_bench::held_back::builds);
  const auto started = bench.start();
  CHECK(bench.link->segments.empty());
  for (std::uint32_t i = 0; i < 2 * started.segments; ++i) bench.stage.finish_last(bench.held);
  REQUIRE(bench.link->segments.size() == started.segments);
  for (std::uint32_t i = 0; i < started.segments; ++i) CHECK(bench.link->segments[i].data.sequence == i);
}

TEST_CASE("what a reader waits for leaves as soon as it is built, before what was begun earlier") {
  session_bench bench(64U << 20U, session_bench::held_back::builds);
  bench.start();
  const auto wanted = session_bench::late_block(*bench.image.toc);
  bench.send(want{1, {wanted}, urgency::normal});
  bench.stage.finish_last(bench.held);
  REQUIRE(bench.link->segments.size() == 1);
  CHECK(carries(bench.link->segments.front().data, wanted));
}

TEST_CASE("a want overtakes what has not left") {
  session_bench bench;
  bench.start();
  auto last = block_run{0, 0, 0};
  for (std::uint32_t i = 0; i < bench.image.toc->content_count(); ++i)
    if (const auto size = bench.image.toc->content(i).size; size > 1'000'000)
      last = {i, bench.image.toc->geometry().count(size) - 1, 1};
  REQUIRE(last.count == 1);
  REQUIRE_FALSE(carries(bench.link->segments.back().data, last));
  bench.send(want{1, {last}, urgency::normal});
  bench.answer();
  REQUIRE(bench.link->segments.size() == 2);
  CHECK(carries(bench.link->segments.back().data, last));
  CHECK(bench.link->segments.back().data.out_of_turn);
  CHECK_FALSE(bench.link->segments.front().data.out_of_turn);
}

TEST_CASE("the landmark 'complete' is passed when the last segment has been answered, not before") {
  session_bench bench(64U << 20U);
  bench.start();
  while (bench.link->in_flight.size() > 1) bench.answer();
  CHECK_FALSE(bench.passed(landmark::complete));
  bench.answer();
  CHECK(bench.passed(landmark::guessed));
  CHECK(bench.passed(landmark::complete));
  CHECK(bench.link->landmarks.size() == 2);
  CHECK(bench.running_deliveries() == 0);
}

TEST_CASE("a refused segment is sent again before the delivery is complete") {
  session_bench bench;
  const auto started = bench.start();
  const auto runs = bench.link->segments.front().data.runs;
  const auto refused_bytes = bench.link->segments.front().data.bytes;
  bench.answer({error{errc::corrupt, "refused by the test"}});
  bench.answer();  // one was built already, and has left
  REQUIRE(bench.link->segments.size() == 3);
  CHECK(carries(bench.link->segments.back().data, runs.front()));
  bench.answer_all();
  CHECK(bench.passed(landmark::complete));
  std::uint64_t sent_bytes = 0;
  for (const auto& sent : bench.link->segments) sent_bytes += sent.data.bytes;
  CHECK(sent_bytes == started.delivered_bytes + refused_bytes);
}

TEST_CASE("what is repeated carries its whole proof, so that a node that knows nothing can verify it") {
  session_bench bench;
  bench.start();
  // Go to where a second segment of a content relies on what the first has brought.
  while (bench.link->segments.size() < 4) bench.answer();
  bench.answer({error{errc::not_ready, "the proof needs nodes that are not known"}});
  node_stores fresh(bench.authority);
  segment_reader reader(*fresh.contents, bench.image.toc);
  const auto outcome = reader.read(bench.link->segments.back().data).value();
  CHECK(outcome.failed.empty());
  CHECK_FALSE(outcome.stored.empty());
}

TEST_CASE("a delivery whose blocks are refused each time is given up, and the node is told") {
  session_bench bench;
  bench.start();
  for (int i = 0; i < 1000 && !bench.link->in_flight.empty(); ++i)
    bench.answer({error{errc::corrupt, "refused by the test"}});
  CHECK(bench.link->in_flight.empty());
  CHECK(bench.passed(landmark::given_up));
  CHECK_FALSE(bench.passed(landmark::complete));
  CHECK(bench.running_deliveries() == 0);
}

TEST_CASE("a node whose disk is full, or where nobody waits, gets nothing more of that delivery") {
  const auto why = GENERATE(errc::no_space, errc::cancelled, errc::io);
  session_bench bench;
  bench.start();
  bench.answer({error{why, "refused by the test"}});
  CHECK(bench.link->segments.size() == 1);
  CHECK(bench.passed(landmark::given_up));
  CHECK(bench.running_deliveries() == 0);
}

TEST_CASE("contents that the hub cannot read end the delivery with a word to the node") {
  session_bench bench;
  bench.start();
  for (const auto& file : std::filesystem::recursive_directory_iterator(bench.hub.folder.path()))
    if (file.is_regular_file() && file.file_size() > 1'000'000 && file.file_size() < 2'000'000)
      std::filesystem::resize_file(file.path(), 10);
  bench.answer_all();
  CHECK(bench.passed(landmark::given_up));
  CHECK_FALSE(bench.passed(landmark::complete));
  CHECK(bench.running_deliveries() == 0);
}

TEST_CASE("a cancelled delivery sends nothing more; another one goes on") {
  session_bench bench;
  bench.start();
  bench.send(cancel_delivery{1});
  bench.answer_all();
  CHECK(bench.link->segments.size() == 1);
  CHECK_FALSE(bench.passed(landmark::complete));
  CHECK(bench.running_deliveries() == 0);
}

TEST_CASE("a pull that is cancelled before its answer brings nothing") {
  session_bench bench;
  *bench.while_resolving = [&] { caf::anon_send(bench.session, cancel_delivery{1}); };
  const pull_request request{1, image_name, host_platform().text(), {}, std::nullopt};
  auto answer = bench.stage.ask<pull_started>(bench.session, request, bench.listener);
  bench.stage.run();
  REQUIRE(*answer);
  CHECK((*answer)->error().code == errc::cancelled);
  CHECK(bench.link->tocs.empty());
  CHECK(bench.running_deliveries() == 0);
  *bench.while_resolving = {};
  CHECK(bench.start().segments > 0);
}

TEST_CASE("a link that ends takes its deliveries with it") {
  session_bench bench(64U << 20U);
  bench.start();
  bench.link->lose_all();
  CHECK(bench.running_deliveries() == 0);
  CHECK_FALSE(bench.passed(landmark::complete));
}

TEST_CASE("between two answers a segment leaves as soon as the link must have carried enough") {
  session_bench bench(300'000);
  bench.send(bulk_attached{1, 1ms, "bbr"});  // the answers' 10 ms look like a queue: the window does not grow
  bench.start();
  bench.stage.pass(20ms);
  bench.answer();
  const auto sent = bench.link->segments.size();
  REQUIRE(bench.link->in_flight.size() >= 2);
  REQUIRE(bench.report().in_flight_bytes > 300'000);
  bench.stage.pass(2ms);
  CHECK(bench.link->segments.size() == sent);
  bench.stage.pass(40ms);
  CHECK(bench.link->segments.size() == sent + 1);
  bench.stage.pass(10s);  // a link that is cut carries no more
  CHECK(bench.link->segments.size() <= sent + 2);
}

TEST_CASE("who waits for the plan of a table of contents that could not be sent is told why") {
  session_bench bench(1, session_bench::held_back::plans);
  const pull_request request{1, image_name, host_platform().text(), {}, std::nullopt};
  auto started = bench.stage.ask<pull_started>(bench.session, request, bench.listener);
  bench.stage.run();  // the table of contents is on its way, the plan is being made
  bench.link->act([&] {
    for (auto& reply : std::exchange(bench.link->toc_replies, {}))
      reply.deliver(to_caf({errc::limit_exceeded, "larger than the node takes"}));
  });
  CHECK_FALSE(*started);
  bench.stage.finish_last(bench.held);
  REQUIRE(*started);
  REQUIRE_FALSE(**started);
  CHECK((*started)->error().code == errc::limit_exceeded);
  CHECK(bench.running_deliveries() == 0);
}

TEST_CASE("a table of contents that cannot be sent ends its delivery and takes no credit") {
  session_bench bench;
  const pull_request request{1, image_name, host_platform().text(), {}, std::nullopt};
  auto started = bench.stage.ask<pull_started>(bench.session, request, bench.listener);
  bench.stage.run();
  bench.link->act([&] {
    for (auto& reply : std::exchange(bench.link->toc_replies, {}))
      reply.deliver(to_caf({errc::limit_exceeded, "larger than the node takes"}));
  });
  CHECK(bench.running_deliveries() == 0);
  CHECK(bench.passed(landmark::given_up));
  bench.link->lose_all();
  CHECK(bench.report().in_flight_bytes == 0);
}

TEST_CASE("a delivery is reported with the rate of its last second and with what was asked for out of turn") {
  session_bench bench;
  bench.start();
  const auto sent = bench.report().deliveries.front();
  CHECK(sent.wire_bytes > 0);
  CHECK(sent.wire_bytes_per_second >= sent.wire_bytes);
  CHECK(sent.wants == 0);
  bench.stage.pass(3s);  // the node answers nothing
  bench.send(want{1, {session_bench::late_block(*bench.image.toc)}, urgency::normal});
  const auto idle = bench.report().deliveries.front();
  CHECK(idle.wire_bytes_per_second == 0);
  CHECK(idle.wants == 1);
  const auto shown = report(bench.report(), node_identity{}).deliveries.front();
  CHECK(shown.rate_bytes_per_second == 0);
  CHECK(shown.wants == 1);
  bench.answer();
  const auto going = bench.report().deliveries.front();
  CHECK(going.wire_bytes > idle.wire_bytes);
  CHECK(going.wire_bytes_per_second >= going.wire_bytes - idle.wire_bytes);
}

TEST_CASE("nodes behind one address are warmed up one after the other") {
  session_bench bench;
  auto somebody_else = bench.turns->take("10.0.0.7");
  REQUIRE(somebody_else);
  CHECK(bench.turns->take("10.0.0.8"));
  bench.send(bulk_attached{1, 1ms, "bbr"});
  bench.stage.pass(1s);
  CHECK(bench.report().padding_bytes == 0);
  somebody_else.reset();
  bench.stage.pass(1s);
  CHECK(bench.report().padding_bytes > 0);
  CHECK(bench.turns->take("10.0.0.7"));  // its warm-up has ended
}

TEST_CASE("a warm-up stops while a neighbour on the same link is sent something, and is gone on with later") {
  session_bench bench;
  bench.link->holds_padding = true;
  bench.send(bulk_attached{1, 1ms, "bbr"});
  bench.stage.pass(1s);
  const auto first_round = bench.report().padding_bytes;
  REQUIRE(first_round > 0);
  auto delivery = bench.turns->use("10.0.0.7");
  bench.link->answer_padding();
  bench.stage.pass(1s);
  CHECK(bench.report().padding_bytes == first_round);
  CHECK_FALSE(bench.turns->take("10.0.0.7"));
  delivery.reset();
  bench.stage.pass(1s);
  CHECK(bench.report().padding_bytes > first_round);
}

TEST_CASE("the link is in use from a pull to the end of its delivery") {
  session_bench bench;
  CHECK_FALSE(bench.turns->in_use("10.0.0.7"));
  bench.start();
  CHECK(bench.turns->in_use("10.0.0.7"));
  CHECK_FALSE(bench.turns->in_use("10.0.0.8"));
  bench.answer_all();
  CHECK(bench.running_deliveries() == 0);
  CHECK_FALSE(bench.turns->in_use("10.0.0.7"));
}
