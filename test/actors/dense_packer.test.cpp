#include "actors/hub/dense_packer.hpp"

#include <random>

#include "storage/segment_cache.hpp"
#include "test/actors/aggregator_bench.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

/// Text of a kind that a high level packs better than a low one.
std::string words(std::uint32_t seed, std::size_t size) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size) text += "word" + std::to_string(random() % 997 * 7919) + ' ';
  return text;
}

std::string two_files() {
  tar_builder tar;
  tar.folder("bin/").file("bin/program", words(1, 700'000), 0755);
  tar.folder("lib/").file("lib/library", words(2, 1'500'000), 0644);
  return tar.take();
}

/// A packer beside an aggregator, and the builder whose segments it makes smaller.
struct packer_bench {
  test_authority authority;
  hub_stores hub{authority};
  known_image image = hub.add("example.com/app:1", two_files());
  std::unique_ptr<segment_cache> cache =
      segment_cache::open(hub.folder.path() / "segments", 64U << 20U).value();
  segment_builder builder{*hub.contents, cache.get(), {}};
  dense_limits limits;
  std::atomic<bool> stop{false};
  actor_stage stage;
  actor_stage::held_worker worker = stage.hold_work();
  dense_packer packer;

  explicit packer_bench(dense_limits with = {}) : limits(with) {
    packer = stage.keep(stage.system().spawn(
        make_dense_packer,
        dense_packer_tools{{*hub.catalogue, builder, {}, limits, &stop}, worker_pool({worker})}));
    stage.run();
  }
  ~packer_bench() {
    packer = nullptr;
    worker = nullptr;
  }

  /// The order of a start that reads one file whole.
  [[nodiscard]] std::shared_ptr<const stored_order> reading(const std::string& path) const {
    stored_order order;
    const auto content = content_at(*image.toc, path).value().value();
    order.runs.push_back({content, 0, image.toc->geometry().count(image.toc->content_size(content))});
    order.guessed = 1;
    order.traces = 1;
    return std::make_shared<const stored_order>(order);
  }
  void learn(const std::shared_ptr<const stored_order>& order) {
    caf::anon_send(packer, order_learned{image.record.toc, order});
    stage.run();
  }
  void work() {
    stage.finish_last(worker);
    stage.run();
  }

  /// What a node that has nothing gets of an order before its first landmark, packed bytes.
  std::uint64_t sent(const stored_order& order) {
    const auto contents = contents_of(*image.toc);
    const had_contents nothing;
    const auto runs = as_content_order(order);
    const auto plan = plan_bundle({contents, image.toc->geometry(), nothing, runs, {}, {}});
    std::uint64_t bytes = 0;
    for (std::uint32_t at = 0; at < plan.landmarks.front().after; ++at)
      bytes += builder.build(at, plan.segments[at], contents).value().frame.bytes.size();
    return bytes;
  }
};

}  // namespace

TEST_CASE("what starts read is packed anew once its order has settled, and smaller from then on") {
  packer_bench bench;
  const auto order = bench.reading("lib/library");
  const auto before = bench.sent(*order);
  bench.learn(order);
  bench.stage.pass(bench.limits.after - 1ms);
  bench.work();
  CHECK(bench.cache->count().put == 0);
  bench.stage.pass(1ms);
  bench.work();
  CHECK(bench.cache->count().put > 1);
  CHECK(bench.sent(*order) < before);
}

TEST_CASE("a newer order is waited for, the same once more is not") {
  packer_bench bench;
  const auto older = bench.reading("lib/library");
  const auto newer = bench.reading("bin/program");
  const auto older_before = bench.sent(*older);
  const auto newer_before = bench.sent(*newer);
  bench.learn(older);
  bench.stage.pass(bench.limits.after / 2);
  bench.learn(newer);
  bench.stage.pass(bench.limits.after / 2);
  bench.learn(bench.reading("bin/program"));
  bench.work();
  CHECK(bench.cache->count().put == 0);
  bench.stage.pass(bench.limits.after / 2);
  bench.work();
  CHECK(bench.sent(*newer) < newer_before);
  CHECK(bench.sent(*older) == older_before);
}

TEST_CASE("an image whose order changes all the time is packed now and then") {
  packer_bench bench({.after = 100ms, .after_at_most = 1s});
  for (int i = 0; i < 19; ++i) {
    bench.learn(bench.reading(i % 2 == 0 ? "lib/library" : "bin/program"));
    bench.stage.pass(50ms);
  }
  bench.work();
  CHECK(bench.cache->count().put == 0);
  for (int i = 0; i < 2; ++i) {
    bench.learn(bench.reading(i % 2 == 0 ? "bin/program" : "lib/library"));
    bench.stage.pass(50ms);
  }
  bench.work();
  CHECK(bench.cache->count().put > 0);
}

TEST_CASE("no more is packed anew than the limit says") {
  packer_bench bench({.bytes_max = 2 * plan_limits{}.first_segment_bytes});
  bench.learn(bench.reading("lib/library"));
  bench.stage.pass(bench.limits.after);
  bench.work();
  CHECK(bench.cache->count().put == 2);
}

TEST_CASE("packing anew ends with the hub, and does without an image that has gone") {
  packer_bench bench;
  const auto order = bench.reading("lib/library");
  const auto pack = [&](const dense_packing_tools& tools) {
    return pack_image_densely(tools, bench.image.record.toc, *order);
  };
  const dense_packing_tools tools{*bench.hub.catalogue, bench.builder, {}, {}, &bench.stop};
  bench.stop = true;
  CHECK(pack(tools).error().code == errc::cancelled);
  bench.stop = false;
  CHECK(pack(tools).value() > 1);
  CHECK(pack(tools).value() == 0);  // they are there
  REQUIRE(bench.hub.catalogue->remove(bench.image.record.reference, bench.image.record.platform));
  CHECK(pack(tools).error().code == errc::not_found);
}
