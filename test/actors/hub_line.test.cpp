#include "actors/hub/hub_peer.hpp"
#include "test/actors/aggregator_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

/// The connection that one hub has dialled to another one.
struct hub_line {
  trace_aggregator far;
  bool cut = false;  ///< what is asked from now on fails
  int questions = 0;
  int traces = 0;  ///< that were sent, those that are there already too
};

caf::error cut_off() {
  return to_caf({errc::unavailable, "the line is cut"});
}

hub_link::behavior_type play_line(hub_link::pointer self, std::shared_ptr<hub_line> line) {
  return {
      [](const pull_request&, const receiver&) -> caf::result<pull_started> { return cut_off(); },
      [](const want&) {},
      [](const cancel_delivery&) {},
      [](caf::get_atom) {
        link_status status;
        status.state = link_state::up;
        return status;
      },
      [](caf::join_atom) -> caf::result<link_status> { return cut_off(); },
      [self, line](const trace_report& what) -> caf::result<trace_kept> {
        ++line->traces;
        if (line->cut) return cut_off();
        return self->delegate(line->far, trace_report{what.encoded, {}});
      },
      [](caf::connect_atom) {},
      [self, line](const peer_question& asked) -> caf::result<peer_answer> {
        ++line->questions;
        if (line->cut) return cut_off();
        return self->delegate(line->far, asked);
      },
  };
}

/// Which hub has dialled which, by their numbers.
using dialled_hubs = std::vector<std::pair<std::size_t, std::size_t>>;

/// Hubs that some have dialled others of. No time passes unless a test says so.
struct joined_hubs {
  test_authority authority;
  std::vector<std::unique_ptr<hub_stores>> stores;
  actor_stage stage;
  std::vector<trace_aggregator> aggregators;
  std::vector<hub_peer> peers;
  std::vector<std::shared_ptr<hub_line>> lines;  ///< in the order in which they were dialled
  std::shared_ptr<told_orders> told = std::make_shared<told_orders>();  ///< by the last hub

  joined_hubs(std::size_t count, const dialled_hubs& dialled) {
    for (std::size_t i = 0; i < count; ++i) add_hub();
    for (const auto& [from, to] : dialled) dial(from, to);
    caf::anon_send(aggregators.back(), caf::subscribe_atom_v, stage.keep(stage.system().spawn(listen, told)));
    stage.run();
  }
  ~joined_hubs() {
    for (auto& line : lines) line->far = nullptr;
    peers.clear();
    aggregators.clear();
  }
  void report(std::size_t hub, const trace& recorded) {
    const auto answer =
        stage.ask<trace_kept>(aggregators[hub], trace_report{share(encode_trace(recorded)), "n1"});
    stage.run();
    REQUIRE(answer->has_value());
    REQUIRE(**answer);
  }
  [[nodiscard]] bool has(std::size_t hub, std::uint8_t id) const {
    return stores[hub]->traces->find(id_of(id)).value().has_value();
  }
  aggregator_status status(std::size_t hub) {
    const auto answer = stage.ask<aggregator_status>(aggregators[hub], caf::get_atom_v);
    stage.run();
    return answer->value().value();
  }

 private:
  void add_hub() {
    auto& own = *stores.emplace_back(std::make_unique<hub_stores>(authority));
    aggregators.push_back(stage.keep(stage.system().spawn(
        make_trace_aggregator, aggregator_tools{*own.catalogue, *own.traces, own.learning, stage.workers(),
                                                [] { return now; }, stores.size()})));
  }
  void dial(std::size_t from, std::size_t to) {
    lines.push_back(std::make_shared<hub_line>(hub_line{aggregators[to]}));
    const auto link = stage.keep(stage.system().spawn(play_line, lines.back()));
    peers.push_back(stage.keep(stage.system().spawn(
        make_hub_peer, peer_parts{"near:1", link, aggregators[from], *stores[from]->traces,
                                  stores[from]->learning.peer_interval})));
    caf::anon_send(aggregators[from], caf::subscribe_atom_v, caf::actor_cast<caf::actor>(peers.back()));
  }
};

/// Hubs of which each has dialled the one before it.
struct hubs_in_line : joined_hubs {
  explicit hubs_in_line(std::size_t count) : joined_hubs(count, each_the_one_before(count)) {}

 private:
  static dialled_hubs each_the_one_before(std::size_t count) {
    dialled_hubs dialled;
    for (std::size_t hub = 1; hub < count; ++hub) dialled.emplace_back(hub, hub - 1);
    return dialled;
  }
};

}  // namespace

TEST_CASE("a trace passes a line of hubs, whichever side has dialled, before any time has passed") {
  hubs_in_line all(4);
  const auto image = all.stores[0]->add("example.com/app:1", tar_of({"a", "b", "c"}));
  all.report(0, start_of(image, 1, {"c"}));
  for (std::size_t hub = 0; hub < 4; ++hub) CHECK(all.has(hub, 1));
  all.report(3, start_of(image, 2, {"c"}));
  for (std::size_t hub = 0; hub < 4; ++hub) CHECK(all.has(hub, 2));
  all.report(1, start_of(image, 3, {"c"}));  // once more: the questions are open again
  for (std::size_t hub = 0; hub < 4; ++hub) CHECK(all.has(hub, 3));
}

TEST_CASE(
    "the far end of a line has learned a trace after its gather time, and nothing else was waited for") {
  hubs_in_line all(3);
  const auto image = all.stores[0]->add("example.com/app:1", tar_of({"a", "b", "c"}));
  REQUIRE(all.stores[2]->add("example.com/app:1", tar_of({"a", "b", "c"})).record.toc == image.record.toc);
  all.report(0, start_of(image, 1, {"c"}));
  all.stage.pass(all.stores[2]->learning.gather_time);
  REQUIRE(all.told->orders.size() == 1);
  CHECK(all.told->orders[0].order->traces == 1);
}

TEST_CASE("traces go round a line once: nobody is sent what it has") {
  hubs_in_line all(3);
  const auto image = all.stores[0]->add("example.com/app:1", tar_of({"a", "b", "c"}));
  for (std::uint8_t id = 1; id <= 5; ++id) all.report(id % 3, start_of(image, id, {"c"}));
  all.stage.pass(20s);
  for (std::size_t hub = 0; hub < 3; ++hub) {
    CHECK(all.status(hub).received == 5);
    CHECK(all.status(hub).repeated == 0);
  }
}

TEST_CASE(
    "in a ring of hubs, and between two that dial each other, each trace counts once and all comes to rest") {
  using ring = std::pair<std::size_t, dialled_hubs>;
  const auto [count, dialled] =
      GENERATE(values<ring>({{3, {{0, 1}, {1, 2}, {2, 0}}},
                             {2, {{0, 1}, {1, 0}}},
                             {3, {{0, 1}, {1, 0}, {1, 2}, {2, 1}, {2, 0}, {0, 2}}}}));
  joined_hubs all(count, dialled);
  std::vector<known_image> images;
  for (auto& hub : all.stores) images.push_back(hub->add("example.com/app:1", tar_of({"a", "b", "c"})));
  const auto& image = images.front().record.toc;
  const std::vector<std::vector<std::string>> starts{{"c"}, {"c", "a"}, {"b"}, {"c", "b"}, {"a"}};
  for (std::uint8_t id = 1; id <= starts.size(); ++id)
    all.report(id % count, start_of(images[0], id, starts[id - 1]));
  all.stage.pass(all.stores[0]->learning.gather_time);
  all.stage.pass(20s);

  const auto sent = [&] {
    int traces = 0;
    for (const auto& line : all.lines) traces += line->traces;
    return traces;
  };
  const auto asked = [&] {
    int questions = 0;
    for (const auto& line : all.lines) questions += line->questions;
    return questions;
  };
  const auto order = all.stores[0]->catalogue->order(image).value();
  CHECK(order.traces == starts.size());
  std::vector<aggregator_status> before;
  for (std::size_t hub = 0; hub < count; ++hub) {
    INFO("hub " << hub);
    REQUIRE(images[hub].record.toc == image);
    before.push_back(all.status(hub));
    CHECK(before[hub].received == starts.size());
    CHECK(all.stores[hub]->traces->of_image(image)->size() == starts.size());
    CHECK(all.stores[hub]->catalogue->order(image).value() == order);
  }
  const auto traces_sent = sent();
  const auto questions = asked();
  constexpr int waits = 5;
  for (int i = 0; i < waits; ++i) all.stage.pass(all.stores[0]->learning.peer_wait);
  CHECK(sent() == traces_sent);
  CHECK(asked() <= questions + waits * static_cast<int>(dialled.size()));  // whether there is news
  for (std::size_t hub = 0; hub < count; ++hub) {
    CHECK(all.status(hub).received == before[hub].received);
    CHECK(all.status(hub).repeated == before[hub].repeated);
    CHECK(all.status(hub).learned == before[hub].learned);
  }
}

TEST_CASE("after a failure another hub is tried again an interval later") {
  hubs_in_line all(2);
  const auto image = all.stores[0]->add("example.com/app:1", tar_of({"a", "b", "c"}));
  all.lines[0]->cut = true;
  all.report(1, start_of(image, 1, {"c"}));
  all.lines[0]->cut = false;
  all.report(1, start_of(image, 2, {"c"}));
  CHECK_FALSE(all.has(0, 1));
  CHECK_FALSE(all.has(0, 2));
  all.stage.pass(all.stores[1]->learning.peer_interval);
  CHECK(all.has(0, 1));
  CHECK(all.has(0, 2));
}

TEST_CASE("a question without news is answered after its time, and asked again") {
  hubs_in_line all(2);
  CHECK(all.lines[0]->questions == 2);  // the first answer comes at once
  for (int i = 0; i < 3; ++i) all.stage.pass(all.stores[1]->learning.peer_interval);
  CHECK(all.lines[0]->questions == 2);
  all.stage.pass(all.stores[0]->learning.peer_wait);
  CHECK(all.lines[0]->questions == 3);
}

TEST_CASE("more hubs than may wait for news are answered at once") {
  aggregator_bench bench;
  bench.hub.learning.peers_waiting_max = 1;
  const auto ask = [&] {
    const auto answer = bench.stage.ask<peer_answer>(
        bench.aggregator, peer_question{share(encode_inquiry(ids_question{0, 0, 1h}))});
    bench.stage.run();
    return answer;
  };
  const auto ids_of = [](const auto& answer) {
    return std::get<ids_answer>(decode_reply(answer->value().value().encoded.bytes).value());
  };
  const auto first = ask();
  CHECK_FALSE(first->has_value());
  const auto second = ask();
  REQUIRE(second->has_value());
  CHECK_FALSE(ids_of(second).waited);
  REQUIRE(bench.report(start_of(bench.image, 1, {"c"})));
  REQUIRE(first->has_value());
  CHECK(ids_of(first).waited);
  CHECK(ids_of(first).ids == std::vector<trace_id>{id_of(1)});
}

TEST_CASE("a hub that waits longer than is allowed is answered without news") {
  aggregator_bench bench;
  const auto answer = bench.stage.ask<peer_answer>(
      bench.aggregator, peer_question{share(encode_inquiry(ids_question{0, 0, 1h}))});
  bench.stage.pass(bench.hub.learning.peer_wait - 1ms);
  CHECK_FALSE(answer->has_value());
  bench.stage.pass(1ms);
  REQUIRE(answer->has_value());
  CHECK(std::get<ids_answer>(decode_reply(answer->value().value().encoded.bytes).value()).ids.empty());
}

TEST_CASE(
    "traces that had no room while their image was not here come again once it is, whoever has dialled") {
  const bool dials = GENERATE(true, false);
  joined_hubs all(2, dials ? dialled_hubs{{1, 0}} : dialled_hubs{{0, 1}});
  auto& hub = *all.stores[1];
  hub.learning.orphans = {.count_max = 0};
  const auto image = all.stores[0]->add("example.com/app:1", tar_of({"a", "b", "c"}));
  for (std::uint8_t id = 1; id <= 2; ++id) all.report(0, start_of(image, id, {"c", "a"}));
  all.stage.pass(hub.learning.gather_time);
  for (int i = 0; i < 3; ++i) all.stage.pass(hub.learning.peer_wait);
  REQUIRE_FALSE(all.has(1, 1));  // nor does it come on and on
  REQUIRE(hub.traces->knows(id_of(1)).value());

  const auto added = hub.add("example.com/app:1", tar_of({"a", "b", "c"}));
  REQUIRE(added.record.toc == image.record.toc);
  caf::anon_send(all.aggregators[1], learn_again{image.record.toc});
  all.stage.pass(hub.learning.gather_time);
  all.stage.pass(hub.learning.peer_wait);
  all.stage.pass(hub.learning.gather_time);
  CHECK(all.has(1, 1));
  CHECK(all.has(1, 2));
  CHECK(hub.catalogue->order(image.record.toc)->traces == 2);
}

TEST_CASE("traces that had no room may come again although the hub ended before it was told of their image") {
  aggregator_bench bench;
  bench.hub.learning.orphans = {.count_max = 0};
  const auto later = hub_stores(bench.authority).add("example.com/later:1", tar_of({"x", "y"}));
  REQUIRE(bench.report(start_of(later, 1, {"y"})));
  bench.learn();
  REQUIRE_FALSE(bench.hub.traces->find(id_of(1)).value());
  REQUIRE(bench.hub.traces->knows(id_of(1)).value());
  const auto added = bench.hub.add("example.com/later:1", tar_of({"x", "y"}));
  REQUIRE(added.record.toc == later.record.toc);
  caf::anon_send_exit(std::exchange(bench.aggregator, bench.spawn(bench.stage.workers())),
                      caf::exit_reason::kill);
  bench.stage.run();
  REQUIRE(bench.report(start_of(later, 1, {"y"})));
  bench.learn();
  CHECK(bench.expected(added) == std::vector<std::string>{"y"});
}
