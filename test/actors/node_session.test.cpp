#include "actors/hub/node_session.hpp"

#include <catch2/catch.hpp>

#include "storage/segment_reader.hpp"
#include "test/harness/node/actor_stage.hpp"
#include "test/harness/node/small_stores.hpp"
#include "test/harness/node/test_image.hpp"
#include "test/harness/tar_builder.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

const std::string name = "example.com/app:1";
const std::string other_name = "example.com/side:1";

/// Has the large files of `some_layer`, and one of its own.
std::string larger_layer() {
  tar_builder tar;
  tar.file("alone", patterned_bytes(300'000, 77), 0644);
  tar.file("program", patterned_bytes(700'000, 1), 0755);
  tar.file("library", patterned_bytes(1'500'000, 2), 0644);
  return tar.take();
}

/// Knows one image by whatever name, and another one by its own.
image_library::behavior_type library_of(image_library::pointer, known_image image, known_image other,
                                        std::shared_ptr<std::function<void()>> while_resolving) {
  return {
      [=](const resolve_image& asked, const pull_listener&) {
        if (*while_resolving) (*while_resolving)();
        return asked.reference == other_name ? other : image;
      },
      [](caf::get_atom) { return library_status{}; },
      [](const remove_image&) { return image_removed{}; },
      [](const ingestion_status&) {},
  };
}
pull_listener::behavior_type deaf_listener(pull_listener::pointer) {
  return {[](const incoming_progress&) {}};
}

hub_plan_limits small_segments(std::uint64_t window_bytes) {
  hub_plan_limits limits;
  limits.cut.first_segment_bytes = limits.cut.segment_bytes_max = 128 * 1024;
  limits.delivery.want_segment_bytes = 128 * 1024;
  limits.credit.window_bytes_start = limits.credit.window_bytes_min = limits.credit.window_bytes_max =
      window_bytes;
  return limits;
}

/// A session with a real store; the test plays the node's end of the link by hand.
struct session_bench {
  test_authority authority;
  hub_stores hub{authority};
  known_image image = hub.add(name, some_layer());
  known_image other = hub.add(other_name, larger_layer());
  std::shared_ptr<fake_node_link> link = std::make_shared<fake_node_link>();
  actor_stage stage;
  node_link far = make_fake_node_link(stage, link);
  pull_listener listener = stage.keep(stage.system().spawn(deaf_listener));
  std::shared_ptr<std::function<void()>> while_resolving = std::make_shared<std::function<void()>>();
  std::shared_ptr<warmup_turns> turns = std::make_shared<warmup_turns>();
  actor_stage::held_worker held = stage.hold_work();
  reporting_session session;
  std::vector<std::uint64_t> beside;  ///< of the pull of the other image

  enum class building { at_once, held };

  /// A window of one byte lets one segment go at a time.
  explicit session_bench(std::uint64_t window_bytes = 1, building how = building::at_once) {
    const auto library = stage.keep(stage.system().spawn(library_of, image, other, while_resolving));
    session = stage.keep(stage.system().spawn(
        make_node_session, session_peer{"n1", "10.0.0.7"}, far,
        session_tools{library, trace_aggregator{}, hub.preparation(), *hub.builder, stage.workers(),
                      how == building::held ? worker_pool({held}) : stage.workers(),
                      small_segments(window_bytes), turns}));
  }
  ~session_bench() {
    link->lose_all();
    link->toc_replies.clear();
    link->self = nullptr;
    session = nullptr;
    held = nullptr;
    listener = nullptr;
    far = nullptr;
  }

  /// Starts a delivery and answers its TOC.
  pull_started start(std::uint64_t delivery = 1) {
    const pull_request request{delivery, name, host_platform().text(), {}, std::nullopt};
    auto started = stage.ask<pull_started>(session, request, listener);
    stage.run();
    REQUIRE(*started);
    REQUIRE(link->tocs.size() == 2);
    link->answer_toc();
    return (*started)->value();
  }
  /// Starts a delivery of the other image beside.
  pull_started start_other() {
    const pull_request request{2, other_name, host_platform().text(), {}, std::nullopt, beside};
    auto started = stage.ask<pull_started>(session, request, listener);
    stage.run();
    REQUIRE(*started);
    link->answer_toc();
    return (*started)->value();
  }
  void answer(const verdict& with = {}) { link->answer(with); }
  void answer_all() {
    while (!link->in_flight.empty()) answer();
  }
  template <class Message>
  void send(const Message& what) {
    caf::anon_send(session, what);
    stage.run();
  }
  session_report report() {
    auto report = stage.ask<session_report>(session, caf::get_atom_v);
    stage.run();
    return (*report)->value();
  }
  std::size_t running_deliveries() { return report().deliveries.size(); }
  [[nodiscard]] bool passed(landmark mark, std::uint64_t delivery = 1) const {
    return std::any_of(link->landmarks.begin(), link->landmarks.end(), [&](const outgoing_landmark& one) {
      return one.mark == mark && one.delivery == delivery;
    });
  }
  /// Bytes that have left, unpacked, of one delivery.
  [[nodiscard]] std::uint64_t sent_bytes(std::uint64_t delivery) const {
    std::uint64_t bytes = 0;
    for (const auto& sent : link->segments)
      if (sent.delivery == delivery) bytes += sent.data.bytes;
    return bytes;
  }
  /// A block of the largest file, far from its begin.
  [[nodiscard]] static block_run late_block(const toc_view& toc) {
    for (std::uint32_t i = 0; i < toc.content_count(); ++i)
      if (const auto size = toc.content(i).size; size > 1'000'000)
        return {i, toc.geometry().count(size) - 1, 1};
    return {};
  }
};

bool carries(const segment& data, const block_run& block) {
  return std::any_of(data.runs.begin(), data.runs.end(), [&](const block_run& run) {
    return run.content == block.content && run.first <= block.first && block.first - run.first < run.count;
  });
}

}  // namespace

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
  session_bench bench(64U << 20U, session_bench::building::held);
  const auto started = bench.start();
  CHECK(bench.link->segments.empty());
  for (std::uint32_t i = 0; i < 2 * started.segments; ++i) bench.stage.finish_last(bench.held);
  REQUIRE(bench.link->segments.size() == started.segments);
  for (std::uint32_t i = 0; i < started.segments; ++i) CHECK(bench.link->segments[i].data.sequence == i);
}

TEST_CASE("what a reader waits for leaves as soon as it is built, before what was begun earlier") {
  session_bench bench(64U << 20U, session_bench::building::held);
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

TEST_CASE("a link that ends takes its deliveries with it") {
  session_bench bench(64U << 20U);
  bench.start();
  bench.link->lose_all();
  CHECK(bench.running_deliveries() == 0);
  CHECK_FALSE(bench.passed(landmark::complete));
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

TEST_CASE("of two deliveries at once the second brings only what the first does not") {
  session_bench bench(64U << 20U);
  const auto first = bench.start();
  const auto second = bench.start_other();
  CHECK(second.delivered_bytes == 300'000);
  bench.answer_all();
  CHECK(bench.sent_bytes(1) == first.delivered_bytes);
  CHECK(bench.sent_bytes(2) == 300'000);
  CHECK(bench.passed(landmark::complete, 1));
  CHECK(bench.passed(landmark::complete, 2));
  CHECK(bench.running_deliveries() == 0);
}

TEST_CASE("a delivery is complete only when what others bring for it has come") {
  session_bench bench;
  bench.start();
  bench.start_other();
  while (bench.sent_bytes(2) < 300'000) bench.answer();
  while (!bench.passed(landmark::complete, 1)) {
    CHECK_FALSE(bench.passed(landmark::complete, 2));
    bench.answer();
  }
  bench.answer_all();
  CHECK(bench.passed(landmark::complete, 2));
}

TEST_CASE("what is wanted of a delivery is sent at once by the one that brings it") {
  session_bench bench;
  bench.start();
  bench.start_other();
  const auto wanted = session_bench::late_block(*bench.other.toc);
  const auto brought = session_bench::late_block(*bench.image.toc);
  REQUIRE(wanted.count == 1);
  bench.send(want{2, {wanted}, urgency::normal});
  bench.answer();
  const auto& last = bench.link->segments.back();
  CHECK(last.delivery == 1);
  CHECK(carries(last.data, brought));
}

TEST_CASE("when a delivery ends early, whoever borrowed from it is told that nothing more comes") {
  session_bench bench;
  bench.start();
  bench.start_other();
  while (bench.sent_bytes(2) < 300'000) bench.answer();
  CHECK_FALSE(bench.passed(landmark::complete, 2));
  bench.send(cancel_delivery{1});
  bench.answer_all();
  CHECK(bench.passed(landmark::complete, 2));
  CHECK(bench.running_deliveries() == 0);
}

TEST_CASE("what has come while a pull was on its way is not sent again; else the node's own word counts") {
  session_bench bench(64U << 20U);
  bench.start();
  bench.answer_all();
  REQUIRE(bench.running_deliveries() == 0);
  const bool was_under_way = GENERATE(false, true);
  bench.beside = was_under_way ? std::vector<std::uint64_t>{1} : std::vector<std::uint64_t>{};
  CHECK((bench.start_other().delivered_bytes == 300'000) == was_under_way);
  bench.answer_all();
  CHECK(bench.passed(landmark::complete, 2));
}

TEST_CASE("pulls at the same moment are one bundle, too") {
  session_bench bench(64U << 20U);
  auto first = bench.stage.ask<pull_started>(
      bench.session, pull_request{1, name, host_platform().text(), {}, std::nullopt}, bench.listener);
  auto second = bench.stage.ask<pull_started>(
      bench.session, pull_request{2, other_name, host_platform().text(), {}, std::nullopt}, bench.listener);
  bench.stage.run();
  REQUIRE((*first && *second));
  CHECK(std::min((*first)->value().delivered_bytes, (*second)->value().delivered_bytes) <= 300'000);
}

TEST_CASE("what a start is about to read goes before what none reads, of whichever delivery") {
  session_bench bench;
  bench.start();
  const auto before = bench.link->segments.size();
  const auto alone = [&] {
    for (std::uint32_t i = 0; i < bench.other.toc->content_count(); ++i)
      if (bench.other.toc->content(i).size == 300'000) return i;
    return 0U;
  }();
  bench.other.order = std::make_shared<const stored_order>(
      stored_order{{{alone, 0, 4}}, 1, 1, {}, {std::chrono::milliseconds(5)}});
  bench.start_other();
  bench.send(order_learned{bench.other.record.toc, bench.other.order});
  while (bench.sent_bytes(2) == 0) bench.answer();
  CHECK(bench.link->segments.size() <= before + 2 * delivery_limits{}.builds_ahead_max);
}

TEST_CASE("an order that is learned while a pull is answered counts") {
  session_bench bench;
  const auto last = session_bench::late_block(*bench.image.toc);
  const auto order = std::make_shared<const stored_order>(stored_order{{last}, 1, 1, {}, {}});
  *bench.while_resolving = [&] {
    caf::anon_send(bench.session, order_learned{bench.image.record.toc, order});
  };
  bench.start();
  while (!bench.link->in_flight.empty() &&
         bench.link->segments.size() <= 2 * delivery_limits{}.builds_ahead_max)
    bench.answer();
  CHECK(std::any_of(bench.link->segments.begin(), bench.link->segments.end(),
                    [&](const auto& sent) { return carries(sent.data, last); }));
  REQUIRE(bench.link->segments.front().data.runs.front() == last);
}
