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
  int questions = 0;
  hub_peer peer;

  ~peer_bench() {
    link->traces.clear();
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
    peer = stage.keep(stage.system().spawn(make_hub_peer, peer_parts{"far:1", far, aggregator, *hub.traces,
                                                                     hub.learning.peer_interval, known_max}));
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
