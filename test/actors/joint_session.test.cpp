#include <set>

#include "test/actors/session_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

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

namespace {

/// Contents by their seed, which is also what makes them equal in several images.
std::string layer_of(const std::vector<std::uint32_t>& contents) {
  tar_builder tar;
  for (const auto one : contents)
    tar.file("file" + std::to_string(one), patterned_bytes(one * 10'000, one), 0644);
  return tar.take();
}

using content_block = std::pair<std::string, std::uint32_t>;

std::set<content_block> blocks_of(const toc_view& toc) {
  std::set<content_block> all;
  for (std::uint32_t i = 0; i < toc.content_count(); ++i)
    for (std::uint32_t block = 0; block < toc.geometry().count(toc.content(i).size); ++block)
      all.emplace(toc.content(i).id.root.hex(), block);
  return all;
}

}  // namespace

TEST_CASE("of three images that share contents by pairs and all together each content is sent once") {
  session_bench bench(GENERATE(std::uint64_t{1}, std::uint64_t{64U << 20U}));
  std::vector<known_image> images;
  // 50 is in all, 30, 20 and 25 in two each, 15, 12 and 10 in one.
  for (const auto& contents :
       std::vector<std::vector<std::uint32_t>>{{50, 30, 20, 15}, {50, 30, 25, 12}, {50, 20, 25, 10}}) {
    const auto name = "example.com/joint" + std::to_string(images.size()) + ":1";
    images.push_back(bench.hub.add(name, layer_of(contents)));
    bench.others->emplace(images.back().record.reference, images.back());
  }
  std::vector<std::uint64_t> brought;
  for (std::size_t i = 0; i < images.size(); ++i)
    brought.push_back(bench.start_beside(i + 1, images[i].record.reference).delivered_bytes);
  CHECK(brought == std::vector<std::uint64_t>{1'150'000, 370'000, 100'000});
  bench.answer_all();

  std::set<content_block> sent;
  std::uint64_t bytes = 0;
  for (const auto& one : bench.link->segments) {
    const auto& toc = *images.at(one.delivery - 1).toc;
    bytes += one.data.bytes;
    for (const auto& run : one.data.runs)
      for (auto block = run.first; block < run.first + run.count; ++block)
        CHECK(sent.emplace(toc.content(run.content).id.root.hex(), block).second);
  }
  CHECK(bytes == 1'620'000);
  std::set<content_block> all;
  for (const auto& image : images) all.merge(blocks_of(*image.toc));
  CHECK(sent == all);
  for (std::uint64_t delivery = 1; delivery <= images.size(); ++delivery)
    CHECK(bench.passed(landmark::complete, delivery));
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
      bench.session, pull_request{1, image_name, host_platform().text(), {}, std::nullopt}, bench.listener);
  auto second = bench.stage.ask<pull_started>(
      bench.session, pull_request{2, other_image_name, host_platform().text(), {}, std::nullopt},
      bench.listener);
  bench.stage.run();
  REQUIRE((*first && *second));
  CHECK(std::min((*first)->value().delivered_bytes, (*second)->value().delivered_bytes) <= 300'000);
}

namespace {

using pull_answer = actor_stage::answer<pull_started>;

std::pair<pull_answer, pull_answer> pull_one_after_the_other(session_bench& bench) {
  const pull_request one{1, image_name, host_platform().text(), {}, std::nullopt};
  const pull_request other{2, other_image_name, host_platform().text(), {}, std::nullopt};
  auto first = bench.stage.ask<pull_started>(bench.session, one, bench.listener);
  bench.stage.run();
  auto second = bench.stage.ask<pull_started>(bench.session, other, bench.listener);
  bench.stage.run();
  return {std::move(first), std::move(second)};
}

}  // namespace

TEST_CASE("what was pulled first is planned first, whichever table of contents is ready first") {
  session_bench bench(64U << 20U, session_bench::held_back::tocs_and_plans);
  const auto [first, second] = pull_one_after_the_other(bench);
  bench.stage.finish_last(bench.held);
  REQUIRE(bench.link->tocs.size() == 2);
  CHECK(bench.link->tocs.front().delivery == 2);
  while (!*second) bench.stage.finish_last(bench.held);
  REQUIRE(*first);
  CHECK((*second)->value().delivered_bytes == 300'000);
}

TEST_CASE("a table of contents does not wait for the plan of another delivery") {
  session_bench bench(64U << 20U, session_bench::held_back::plans);
  const auto [first, second] = pull_one_after_the_other(bench);
  CHECK_FALSE(*first);
  REQUIRE(bench.link->tocs.size() == 4);
  CHECK(bench.link->tocs.back().delivery == 2);
  while (!*second) bench.stage.finish_last(bench.held);
  CHECK(*first);
}

TEST_CASE("a delivery that is under way cannot be begun again") {
  session_bench bench;
  bench.start();
  const pull_request again{1, other_image_name, host_platform().text(), {}, std::nullopt};
  const auto answer = bench.stage.ask<pull_started>(bench.session, again, bench.listener);
  bench.stage.run();
  REQUIRE(*answer);
  CHECK((*answer)->error().code == errc::protocol);
  bench.answer_all();
  CHECK(bench.passed(landmark::complete));
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
