#include "actors/hub/hub_peer.hpp"

#include <set>

#include "test/actors/aggregator_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

/// A hub that exchanges traces with a fake one, which has those of `theirs`.
struct peer_bench : aggregator_bench {
  std::shared_ptr<fake_hub_link> link = std::make_shared<fake_hub_link>();
  hub_link far = make_fake_hub_link(stage, link);
  std::vector<trace> theirs;
  std::set<trace_id> failing;       ///< cannot be fetched at present
  std::optional<ids_answer> lists;  ///< instead of those
  std::uint32_t known_max = 1U << 20U;
  std::uint32_t unsent_max = 100;
  std::uint32_t calls_max = 16;
  int questions = 0;
  hub_peer peer;

  ~peer_bench() {
    link->traces.clear();
    link->questions.clear();
    link->answers_peer = nullptr;
    link->self = nullptr;
    peer = nullptr;
    far = nullptr;
  }
  void start() {
    link->answers_peer = [this](const peer_question& asked) {
      ++questions;
      return said(asked);
    };
    peer = stage.keep(stage.system().spawn(make_hub_peer, peer_parts{.address = "far:1",
                                                                     .link = far,
                                                                     .aggregator = aggregator,
                                                                     .traces = *hub.traces,
                                                                     .interval = hub.learning.peer_interval,
                                                                     .known_max = known_max,
                                                                     .unsent_max = unsent_max,
                                                                     .calls_max = calls_max,
                                                                     .now = [] { return now; }}));
    caf::anon_send(aggregator, caf::subscribe_atom_v, caf::actor_cast<caf::actor>(peer));
    stage.run();
  }
  void pass() { stage.pass(hub.learning.peer_interval); }

  result<peer_answer> said(const peer_question& asked) const {
    const auto inquiry = decode_inquiry(asked.encoded.bytes).value();
    if (const auto* one = std::get_if<trace_question>(&inquiry)) {
      if (failing.contains(one->id)) return fail(errc::timed_out, "not now");
      const auto found =
          std::find_if(theirs.begin(), theirs.end(), [&](const trace& t) { return t.id == one->id; });
      return peer_answer{share(encode_reply(
          trace_answered{found == theirs.end() ? std::vector<std::byte>() : encode_trace(*found)}))};
    }
    if (lists) return peer_answer{share(encode_reply(*lists))};
    ids_answer ids{7, theirs.size(), true, {}};
    const auto from =
        std::get<ids_question>(inquiry).epoch == 7 ? std::get<ids_question>(inquiry).position : 0;
    for (auto i = from; i < theirs.size(); ++i) ids.ids.push_back(theirs[i].id);
    return peer_answer{share(encode_reply(ids))};
  }
  admin_peer shown() {
    link->status.state = link_state::up;
    const auto answer = stage.ask<admin_peer>(peer, caf::get_atom_v);
    stage.run();
    return answer->value().value();
  }
  std::size_t kept() { return hub.traces->of_image(image.record.toc)->size(); }
};

}  // namespace

TEST_CASE("a trace that another hub cannot give at first is fetched later, and the others meanwhile") {
  peer_bench bench;
  REQUIRE(bench.report(start_of(bench.image, 50, {"a"})));
  for (std::uint8_t id = 1; id <= 3; ++id) bench.theirs.push_back(start_of(bench.image, id, {"c"}));
  bench.failing = {id_of(1)};
  bench.start();
  for (int i = 0; i < 8; ++i) {
    bench.pass();
    if (!bench.link->traces.empty()) bench.link->answer_trace({});
  }
  CHECK(bench.kept() == 3);
  REQUIRE(bench.link->traces.size() == 1);  // its own went out all the same
  bench.failing.clear();
  for (int i = 0; i < 4; ++i) bench.pass();
  CHECK(bench.kept() == 4);
}

TEST_CASE("very many traces that are known already are passed over") {
  peer_bench bench;
  REQUIRE(bench.report(start_of(bench.image, 50, {"a"})));
  auto known = start_of(bench.image, 50, {"a"});
  for (int i = 0; i < 100'000; ++i) {
    known.id.value.bytes[30] = static_cast<std::byte>(i);
    known.id.value.bytes[31] = static_cast<std::byte>(i >> 8);
    known.id.value.bytes[29] = static_cast<std::byte>(i >> 16);
    bench.theirs.push_back({known.id});
    REQUIRE(bench.hub.metadata->put(table{"traced"}, as_key(known.id.value), "removed."));
  }
  bench.theirs.push_back(start_of(bench.image, 1, {"c"}));
  bench.start();
  for (int i = 0; i < 4; ++i) bench.pass();
  CHECK(bench.hub.traces->find(id_of(1)).value());
}

TEST_CASE("another hub that lists more traces than are compared is told of, and what is known still comes") {
  peer_bench bench;
  bench.known_max = 2;
  for (std::uint8_t id = 1; id <= 4; ++id) bench.theirs.push_back(start_of(bench.image, id, {"c"}));
  bench.start();
  for (int i = 0; i < 8; ++i) bench.pass();
  CHECK(bench.kept() == 2);
  CHECK(bench.shown().last_error.find("peer_known_max") != std::string::npos);
}

TEST_CASE("another hub whose list does not end is asked once an interval, not on and on") {
  peer_bench bench;
  bench.lists = ids_answer{7, 0, false, {}};
  bench.start();
  for (int i = 0; i < 3; ++i) bench.pass();
  CHECK(bench.questions < 10);
  CHECK(bench.shown().last_error.find("does not come to the end") != std::string::npos);
}

TEST_CASE("another hub that does not wait is asked once an interval, and told of news at once") {
  peer_bench bench;
  bench.start();
  CHECK(bench.questions == 2);  // the first answer comes at once, whoever is asked
  for (int i = 0; i < 3; ++i) bench.pass();
  CHECK(bench.questions == 5);
  REQUIRE(bench.report(start_of(bench.image, 1, {"c"})));
  CHECK(bench.link->traces.size() == 1);
}

TEST_CASE("several traces are fetched in one round trip, and never more than are allowed") {
  peer_bench bench;
  for (std::uint8_t id = 1; id <= 40; ++id) bench.theirs.push_back(start_of(bench.image, id, {"c"}));
  bench.link->holds_questions = true;
  bench.start();
  std::size_t together = 0;
  for (int round_trips = 0; round_trips < 4; ++round_trips) {  // the list, then 16, 16 and 8 traces
    together = std::max(together, bench.link->questions.size());
    bench.link->answer_questions();
  }
  CHECK(bench.kept() == 40);
  CHECK(together == bench.calls_max + 1);  // one asks for news
  CHECK(bench.shown().traces_fetched == 40);
}

TEST_CASE("of too many unsent traces those that are not queued are found later, and each is sent once") {
  peer_bench bench;
  bench.unsent_max = 2;
  bench.calls_max = 1;
  bench.start();
  for (std::uint8_t id = 1; id <= 5; ++id) REQUIRE(bench.report(start_of(bench.image, id, {"c"})));
  CHECK(bench.link->traces.size() == 1);
  for (int i = 0; i < 5; ++i) bench.link->answer_trace({});
  std::set<trace_id> sent;
  for (const auto& one : bench.link->traces) sent.insert(decode_trace(one.what.encoded.bytes)->id);
  CHECK(sent.size() == 5);
  CHECK(bench.link->traces.size() == 5);
}

TEST_CASE("a damaged answer of another hub is no reason to lose what it has") {
  peer_bench bench;
  bench.theirs.push_back(start_of(bench.image, 1, {"c"}));
  bench.link->holds_questions = true;
  bench.start();
  const auto good = bench.link->answers_peer;
  bench.link->answers_peer = [](const peer_question&) { return peer_answer{share({std::byte{1}})}; };
  bench.link->answer_questions();
  CHECK(bench.shown().last_error.find("something else") != std::string::npos);
  bench.link->answers_peer = good;
  for (int i = 0; i < 2; ++i) {
    bench.pass();
    bench.link->answer_questions();
  }
  CHECK(bench.kept() == 1);
  CHECK(bench.shown().last_error.empty());
  CHECK(bench.shown().exchanged_at == 1'700'000'000);
}
