#include "test/actors/receiver_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

TEST_CASE("what another delivery has stored is there for whoever waits for the same contents") {
  receiver_bench bench;
  bench.start();
  bench.give_toc();
  const auto& toc = *bench.image.toc;
  const auto id = toc.content(1).id;
  content_id unknown;
  unknown.root.bytes[0] = std::byte{0x77};
  const auto runs = std::make_shared<const std::vector<stored_elsewhere::run>>(
      std::vector<stored_elsewhere::run>{{unknown, 0, 3}, {id, 2, 1}});
  caf::anon_send(bench.receiver, stored_elsewhere{runs});
  bench.stage.run();
  CHECK(bench.told->ready == std::vector<block_run>{{1, 2, 1}});
}

TEST_CASE("a receiver tells the others what it has stored, by what it is") {
  receiver_bench bench;
  const auto heard = std::make_shared<std::vector<stored_elsewhere::run>>();
  const auto listener = bench.stage.keep(bench.stage.system().spawn([heard] {
    return caf::behavior{[heard](const stored_elsewhere& news) {
      heard->insert(heard->end(), news.runs->begin(), news.runs->end());
    }};
  }));
  bench.group->add(listener.address());
  bench.start();
  bench.give_toc();
  bench.give(bench.build(0));
  const auto& sent = bench.prepared->plan->segments[0].runs;
  CHECK(heard->size() == sent.size());
  for (const auto& run : sent) {
    const auto id = bench.image.toc->content(run.content).id;
    CHECK(std::count_if(heard->begin(), heard->end(), [&](const auto& one) {
            return one.content == id && one.first == run.first && one.count == run.count;
          }) == 1);
  }
}

TEST_CASE("a pull names the deliveries that were under way before, until they are complete") {
  receiver_bench bench;
  CHECK(bench.link->pulls.back().request.beside.empty());
  CHECK(bench.group->under_way() == std::vector<std::uint64_t>{bench.delivery()});
  bench.start();
  bench.give_toc();
  bench.give_all();
  CHECK(bench.group->under_way().empty());
}

TEST_CASE("when all is said to be sent before the pull's answer, and is not there, it is asked for again") {
  receiver_bench bench;
  bench.prepare();
  bench.give_toc();
  bench.pass_landmark(landmark::complete);
  CHECK(bench.link->pulls.size() == 1);
  auto started = bench.prepared->started;
  started.delivered_bytes = 0;
  started.segments = 0;
  bench.link->answer(started);
  CHECK(bench.link->pulls.size() == 2);
}
