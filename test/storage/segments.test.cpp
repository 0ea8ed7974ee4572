#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <fstream>

#include "schemas/segment_codec.hpp"
#include "storage/segment_builder.hpp"
#include "storage/segment_reader.hpp"
#include "storage/toc_packing.hpp"
#include "storage/zstd.hpp"
#include "test/storage/store_fixture.hpp"

namespace firstlight {
namespace {

constexpr std::size_t block = default_block_bytes;

/// A hub's and a node's store, and an image of one file for each content.
struct two_sides {
  temporary_folder hub_folder, node_folder;
  opened_store hub{hub_folder.path()};
  opened_store node{node_folder.path()};
  std::vector<std::vector<std::byte>> bytes;
  std::shared_ptr<const toc_view> toc;
  std::vector<content_info> contents;

  explicit two_sides(const std::vector<std::size_t>& sizes) {
    image_tree tree;
    tree.inodes.resize(1);
    tree.inodes[0].type = file_type::directory;
    tree.inodes[0].links = 2;
    tree.directories.push_back({0, 0, {}});
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      bytes.push_back(some_bytes(sizes[i], i));
      contents.push_back(hub.put(bytes.back()));
      tree.contents.push_back(contents.back());
      image_inode file;
      file.size = sizes[i];
      file.content = static_cast<std::uint32_t>(i);
      tree.inodes.push_back(file);
      tree.directories[0].entries.push_back(
          {"f" + std::to_string(1000 + i), static_cast<std::uint32_t>(i + 1)});
    }
    auto made = make_toc({}, tree).value();
    toc = toc_view::open(share(std::move(made.tree))).value();
    REQUIRE(learn_checked(*toc, share(std::move(made.contents))));
  }
  [[nodiscard]] planned_segment plan(std::vector<block_run> runs) const {
    planned_segment planned{std::move(runs), 0, {}};
    for (const auto& run : planned.runs)
      planned.bytes += static_cast<std::uint32_t>(
          block_geometry{}.length(contents[run.content].size, run.first, run.count));
    return planned;
  }
};

}  // namespace

TEST_CASE("zstd gives back what was packed, alone and against a base, and refuses other sizes") {
  const auto base = some_bytes(300'000, 1);
  auto changed = base;
  for (std::size_t i = 0; i < changed.size(); i += 10'000) changed[i] ^= std::byte{1};
  const auto frame = compress(changed, 3).value();
  const auto patch = compress_patch(changed, base, 3).value();
  CHECK(patch.size() * 10 < frame.size());
  CHECK(decompress(frame, changed.size()).value() == changed);
  CHECK(decompress_patch(patch, base, changed.size()).value() == changed);
  CHECK(decompress(frame, changed.size() - 1).error().code == errc::corrupt);
  CHECK(decompress(frame, changed.size() + 1).error().code == errc::corrupt);
  CHECK(decompress(patch, changed.size()).has_value() == false);
  auto longer = frame;
  longer.insert(longer.end(), frame.begin(), frame.end());
  CHECK(decompress(longer, changed.size()).error().code == errc::corrupt);
  CHECK(compress(changed, 3).value() == frame);
}

TEST_CASE("segments carry any cut of an image over in any order") {
  two_sides sides({1, block, block + 1, 40 * block + 7, 13 * block});
  segment_builder builder(*sides.hub.contents, nullptr, {});
  CHECK(rc::check([&] {
    for (const auto& content : sides.contents) RC_ASSERT(sides.node.contents->remove(content.id).has_value());
    segment_reader reader(*sides.node.contents, sides.toc);
    std::vector<block_run> runs;
    for (std::uint32_t i = 0; i < sides.contents.size(); ++i)
      for (std::uint32_t at = 0; at < block_geometry{}.count(sides.contents[i].size);) {
        const auto left = block_geometry{}.count(sides.contents[i].size) - at;
        runs.push_back({i, at, std::min(left, *rc::gen::inRange<std::uint32_t>(1, 9))});
        at += runs.back().count;
      }
    std::shuffle(runs.begin(), runs.end(), std::mt19937_64(*rc::gen::arbitrary<std::uint64_t>()));
    std::vector<block_set> verified;
    for (const auto& content : sides.contents) verified.emplace_back(block_geometry{}.count(content.size));
    for (std::size_t at = 0; at < runs.size();) {
      const auto count = std::min(runs.size() - at, *rc::gen::inRange<std::size_t>(1, 6));
      const std::vector<block_run> some(runs.begin() + static_cast<std::ptrdiff_t>(at),
                                        runs.begin() + static_cast<std::ptrdiff_t>(at + count));
      at += count;
      auto built = builder.build(0, sides.plan(some), sides.contents, [&](std::uint32_t content) {
        return verified[content].empty() ? nullptr : &verified[content];
      });
      RC_ASSERT(built.has_value());
      built->out_of_turn = at % 2 == 0;
      const auto sent = decode_segment(share(encode_segment(*built)));
      RC_ASSERT(sent.has_value());
      RC_ASSERT(sent->out_of_turn == built->out_of_turn);
      const auto outcome = reader.read(*sent);
      RC_ASSERT(outcome.has_value());
      RC_ASSERT(outcome->failed.empty());
      RC_ASSERT(outcome->stored.size() == some.size());
      for (const auto& run : some) verified[run.content].insert(run.first, run.count);
    }
    for (std::size_t i = 0; i < sides.contents.size(); ++i)
      RC_ASSERT(sides.node.get(sides.contents[i]).value() == sides.bytes[i]);
  }));
}

TEST_CASE("a wrong byte in a frame or proof fails the runs of that content only") {
  two_sides sides({10 * block, 3 * block});
  segment_builder builder(*sides.hub.contents, nullptr, {});
  segment_reader reader(*sides.node.contents, sides.toc);
  const auto planned = sides.plan({{0, 2, 3}, {1, 0, 3}});
  auto built = builder.build(0, planned, sides.contents).value();
  auto bytes = decompress(built.frame.bytes, built.bytes).value();
  bytes[100] ^= std::byte{1};
  auto damaged = built;
  damaged.frame = share(compress(bytes, 3).value());
  const auto outcome = reader.read(damaged).value();
  REQUIRE(outcome.failed.size() == 1);
  CHECK(outcome.failed[0].run == block_run{0, 2, 3});
  CHECK(outcome.failed[0].why.code == errc::corrupt);
  CHECK(outcome.stored == std::vector<block_run>{{1, 0, 3}});
  CHECK(sides.node.contents->state(sides.contents[0].id) == content_state::absent);

  auto unproven = built;
  unproven.proofs.clear();
  CHECK(reader.read(unproven)->failed.at(0).why.code == errc::not_ready);
  CHECK(reader.read(built)->failed.empty());
}

TEST_CASE("a segment that breaks the rules is refused as a whole") {
  two_sides sides({10 * block, 3 * block});
  segment_builder builder(*sides.hub.contents, nullptr, {});
  segment_reader reader(*sides.node.contents, sides.toc);
  const auto good = builder.build(0, sides.plan({{0, 0, 2}, {0, 5, 2}}), sides.contents).value();
  const auto code = [&](auto spoil) {
    auto bad = good;
    spoil(bad);
    const auto outcome = reader.read(bad);
    return outcome ? errc{} : outcome.error().code;
  };
  CHECK(code([](segment& bad) { bad.runs[0].content = 2; }) == errc::corrupt);
  CHECK(code([](segment& bad) { bad.runs[1].first = 9; }) == errc::corrupt);
  CHECK(code([](segment& bad) { bad.runs[1].first = 1; }) == errc::corrupt);
  CHECK(code([](segment& bad) { bad.runs[1].count = 0; }) == errc::corrupt);
  CHECK(code([](segment& bad) { --bad.bytes; }) == errc::corrupt);
  CHECK(code([](segment& bad) { bad.frame.bytes = bad.frame.bytes.first(10); }) == errc::corrupt);
  CHECK(code([](segment& bad) { bad.proofs.push_back({1, {}}); }) == errc::corrupt);
  CHECK(code([](segment& bad) { bad.proofs.push_back(bad.proofs[0]); }) == errc::corrupt);
  CHECK(code([](segment& bad) { bad.patch_base = content_info{{}, 5}; }) == errc::not_ready);
  segment_limits small;
  small.segment_bytes_max = 100;
  segment_reader strict(*sides.node.contents, sides.toc, small);
  CHECK(strict.read(good).error().code == errc::limit_exceeded);
  CHECK(reader.read(good)->stored.size() == 2);
}

TEST_CASE("a patch segment needs its base and is much smaller") {
  two_sides sides({20 * block});
  auto old = sides.bytes[0];
  for (std::size_t i = 0; i < old.size(); i += 5000) old[i] ^= std::byte{1};
  auto planned = sides.plan({{0, 0, 20}});
  planned.patch_base = sides.hub.put(old);
  segment_builder builder(*sides.hub.contents, nullptr, {});
  segment_reader reader(*sides.node.contents, sides.toc);
  const auto built = builder.build(0, planned, sides.contents).value();
  CHECK(built.frame.bytes.size() * 20 < old.size());
  CHECK(reader.read(built).error().code == errc::not_ready);
  sides.node.put(old);
  CHECK(reader.read(built)->failed.empty());
  CHECK(sides.node.get(sides.contents[0]).value() == sides.bytes[0]);
}

TEST_CASE("an equal segment is built once, also after a restart, and a damaged file is built again") {
  two_sides sides({10 * block});
  temporary_folder folder;
  const auto planned = sides.plan({{0, 0, 10}});
  segment first;
  {
    const auto cache = segment_cache::open(folder.path(), 1'000'000).value();
    segment_builder builder(*sides.hub.contents, cache.get(), {});
    first = builder.build(0, planned, sides.contents).value();
    const auto again = builder.build(7, planned, sides.contents).value();
    CHECK(std::equal(first.frame.bytes.begin(), first.frame.bytes.end(), again.frame.bytes.begin()));
    CHECK(cache->count().builds == 1);
    CHECK(cache->count().hits == 1);
  }
  const auto cache = segment_cache::open(folder.path(), 1'000'000).value();
  segment_builder builder(*sides.hub.contents, cache.get(), {});
  REQUIRE(builder.build(0, planned, sides.contents));
  CHECK(cache->count().builds == 0);
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
    std::fstream damage(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    damage.seekp(200);
    damage.put('x').put('y');
  }
  const auto rebuilt = builder.build(0, planned, sides.contents).value();
  CHECK(cache->count().builds == 1);
  CHECK(std::equal(first.frame.bytes.begin(), first.frame.bytes.end(), rebuilt.frame.bytes.begin()));
}

TEST_CASE("a segment that was packed densely is sent smaller, until it is distrusted") {
  two_sides sides({10 * block, 10 * block});
  temporary_folder folder;
  const auto cache = segment_cache::open(folder.path(), 1'000'000).value();
  segment_builder builder(*sides.hub.contents, cache.get(), {});
  const auto planned = sides.plan({{0, 0, 10}});
  const auto plain = builder.build(0, planned, sides.contents).value();
  CHECK(builder.pack_densely(planned, sides.contents).value());
  CHECK_FALSE(builder.pack_densely(planned, sides.contents).value());
  CHECK(cache->count().put == 1);
  const auto dense = builder.build(0, planned, sides.contents).value();
  CHECK(dense.frame.bytes.size() < plain.frame.bytes.size());
  CHECK(dense.proofs == plain.proofs);
  segment_reader reader(*sides.node.contents, sides.toc);
  CHECK(reader.read(dense)->failed.empty());
  CHECK(sides.node.get(sides.contents[0]).value() == sides.bytes[0]);
  builder.distrust(planned, sides.contents);
  CHECK(builder.build(0, planned, sides.contents)->frame.bytes.size() == plain.frame.bytes.size());
  const auto reopened = segment_cache::open(folder.path(), 1'000'000).value();
  segment_builder after_restart(*sides.hub.contents, reopened.get(), {});
  CHECK(after_restart.build(0, planned, sides.contents)->frame.bytes.size() == plain.frame.bytes.size());
  // One that nobody has asked for yet is packed as well.
  REQUIRE(builder.pack_densely(sides.plan({{1, 0, 10}}), sides.contents));
  const auto builds = cache->count().builds;
  REQUIRE(builder.build(0, sides.plan({{1, 0, 10}}), sides.contents));
  CHECK(cache->count().builds == builds);
}

TEST_CASE("a segment that packing densely would make larger stays as it was") {
  two_sides sides({10 * block});
  temporary_folder folder;
  const auto cache = segment_cache::open(folder.path(), 1'000'000).value();
  segment_builder builder(*sides.hub.contents, cache.get(), {}, {.compression_level = 19, .dense_level = 1});
  const auto planned = sides.plan({{0, 0, 10}});
  const auto plain = builder.build(0, planned, sides.contents).value().frame.bytes.size();
  REQUIRE(compress(sides.bytes[0], 1)->size() > plain);
  REQUIRE(builder.pack_densely(planned, sides.contents));
  CHECK(builder.build(0, planned, sides.contents)->frame.bytes.size() == plain);
}

TEST_CASE("at level 0 nothing is packed densely") {
  two_sides sides({10 * block});
  temporary_folder folder;
  const auto cache = segment_cache::open(folder.path(), 1'000'000).value();
  segment_builder builder(*sides.hub.contents, cache.get(), {}, {.dense_level = 0});
  REQUIRE(builder.pack_densely(sides.plan({{0, 0, 10}}), sides.contents));
  CHECK(cache->count().put == 0);
}

TEST_CASE("a segment cache keeps its limit and drops what was used least recently") {
  temporary_folder folder;
  const auto cache = segment_cache::open(folder.path(), 10'000).value();
  const auto key = [](int i) { return sha256(std::as_bytes(std::span(&i, 1))); };
  int builds = 0;
  const auto ask = [&](int i) {
    const auto built = cache->get_or_build(key(i), [&]() -> result<std::vector<std::byte>> {
      ++builds;
      return some_bytes(2000, static_cast<std::uint64_t>(i));
    });
    return built && std::ranges::equal(built->bytes, some_bytes(2000, static_cast<std::uint64_t>(i)));
  };
  for (int i = 0; i < 4; ++i) CHECK(ask(i));
  CHECK(ask(0));
  CHECK(builds == 4);
  CHECK(ask(4));  // drops 1, the least recently used
  CHECK(ask(0));
  CHECK(builds == 5);
  CHECK(ask(1));
  CHECK(builds == 6);
  CHECK(cache->count().bytes <= 10'000);
  const auto failed =
      cache->get_or_build(key(99), []() -> result<std::vector<std::byte>> { return fail(errc::io, "no"); });
  CHECK(failed.error().code == errc::io);
  CHECK(ask(99));
}

TEST_CASE("a TOC travels alone or as a patch") {
  two_sides sides({10 * block, 5});
  two_sides newer({10 * block, 5, 70});
  const auto part = GENERATE(toc_part::tree, toc_part::contents);
  const auto bytes = part_of(*newer.toc, part);
  const auto whole =
      decode_toc_frame(share(encode_toc_frame(pack_toc(*newer.toc, part, nullptr, 3).value()))).value();
  CHECK(whole.tables.empty() == (part == toc_part::contents));
  const auto patch =
      decode_toc_frame(share(encode_toc_frame(pack_toc(*newer.toc, part, sides.toc.get(), 3).value())))
          .value();
  CHECK(patch.part == part);
  CHECK(std::ranges::equal(unpack_toc(whole, nullptr).value().bytes, bytes));
  CHECK(std::ranges::equal(unpack_toc(patch, sides.toc.get()).value().bytes, bytes));
  CHECK(unpack_toc(patch, nullptr).error().code == errc::not_ready);
  segment_limits small;
  small.toc_bytes_max = 10;
  CHECK(unpack_toc(whole, nullptr, small).error().code == errc::limit_exceeded);
}

}  // namespace firstlight
