#include "storage/packed_score.hpp"

#include <catch2/catch.hpp>

#include "test/storage/store_fixture.hpp"

namespace firstlight {
namespace {

using namespace std::chrono_literals;

/// Two contents that are equal but for their first bytes, 16 blocks each.
struct packing_bench {
  temporary_folder folder;
  opened_store store{folder.path()};
  std::vector<content_info> contents;
  segment_builder builder{*store.contents, nullptr, {}, {.compression_level = touched_level}};
  std::atomic<bool> stop{false};

  packing_bench() {
    auto bytes = some_bytes(16 * std::size_t{default_block_bytes}, 1);
    contents.push_back(store.put(bytes));
    std::fill_n(bytes.begin(), 64, std::byte{0x55});
    contents.push_back(store.put(bytes));
  }
  /// Packs in segments of eight blocks.
  [[nodiscard]] packed_count how() {
    plan_limits cut;
    cut.first_segment_bytes = cut.segment_bytes_max = 8 * default_block_bytes;
    return {*store.contents, builder, contents, {}, cut, &stop};
  }
};

content_access reads(std::uint32_t content, std::vector<traced_run> runs) {
  return {content, runs.front().access, std::move(runs)};
}

}  // namespace

TEST_CASE("what a start reads is packed as one: what comes twice costs once, however far apart") {
  packing_bench bench;
  const observed_start one{{reads(0, {{0, 16, 1ms, 0ms}})}, 1};
  const observed_start both{{reads(0, {{0, 16, 1ms, 0ms}}), reads(1, {{0, 16, 2ms, 0ms}})}, 1};
  const auto alone = packed_touched(bench.how(), one).value();
  const auto together = packed_touched(bench.how(), both).value();
  CHECK(alone > 0);
  CHECK(alone < 16 * default_block_bytes);
  CHECK(together < alone + alone / 10);
  // Segments know nothing of each other.
  CHECK(packed_sent(bench.how(), both, oracle_order(both)).value() > together + together / 2);
}

TEST_CASE("of what a start reads each block counts once, and what the image does not have not at all") {
  packing_bench bench;
  const observed_start plain{{reads(0, {{0, 6, 1ms, 0ms}}), reads(1, {{15, 1, 9ms, 0ms}})}, 1};
  const observed_start repeated{
      {reads(0, {{0, 4, 1ms, 0ms}, {2, 4, 2ms, 0ms}}), reads(1, {{15, 7, 9ms, 0ms}, {15, 1, 10ms, 0ms}}),
       reads(7, {{0, 1, 3ms, 0ms}})},
      1};
  CHECK(packed_touched(bench.how(), repeated).value() == packed_touched(bench.how(), plain).value());
  CHECK(packed_touched(bench.how(), {}).value() == 0);
}

TEST_CASE("counting packed bytes ends when it is stopped") {
  packing_bench bench;
  bench.stop = true;
  const observed_start one{{reads(0, {{0, 16, 1ms, 0ms}})}, 1};
  CHECK(packed_touched(bench.how(), one).error().code == errc::cancelled);
  CHECK(packed_sent(bench.how(), one, oracle_order(one)).error().code == errc::cancelled);
}

}  // namespace firstlight
