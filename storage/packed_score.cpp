#include "storage/packed_score.hpp"

#include <algorithm>
#include <unordered_map>

#include "schemas/segment_codec.hpp"
#include "storage/solid_frame.hpp"

namespace firstlight {
namespace {

constexpr std::uint64_t piece_bytes = 1U << 20U;  // packed at once; then it is looked whether to stop

using block_sets = std::unordered_map<std::uint32_t, block_set>;

block_set& blocks_of(block_sets& sets, const packed_count& how, std::uint32_t content) {
  return sets.try_emplace(content, block_set(how.geometry.count(how.contents[content].size))).first->second;
}

result<void> go_on(const packed_count& how) {
  if (how.stop != nullptr && *how.stop) return fail(errc::cancelled, "the hub ends");
  return {};
}

/// What a start reads, each block once, in pieces.
std::vector<block_run> touched_pieces(const packed_count& how, const observed_start& start) {
  const auto piece_blocks =
      std::max<std::uint32_t>(1, static_cast<std::uint32_t>(piece_bytes / how.geometry.block_bytes));
  block_sets seen;
  std::vector<block_run> pieces;
  for (const auto& run : oracle_order(start).runs) {
    if (run.content >= how.contents.size()) continue;
    auto& own = blocks_of(seen, how, run.content);
    const auto end = std::min<std::uint64_t>(std::uint64_t{run.first} + run.count,
                                             how.geometry.count(how.contents[run.content].size));
    for (auto block = run.first; block < end; ++block) {
      if (own.contains(block)) continue;
      own.insert(block, 1);
      auto* last = pieces.empty() ? nullptr : &pieces.back();
      const bool goes_on = last != nullptr && last->content == run.content &&
                           last->first + last->count == block && last->count < piece_blocks;
      if (goes_on)
        ++last->count;
      else
        pieces.push_back({run.content, block, 1});
    }
  }
  return pieces;
}

std::uint64_t length(const packed_count& how, const block_run& run) {
  return how.geometry.length(how.contents[run.content].size, run.first, run.count);
}

}  // namespace

result<std::uint64_t> packed_touched(const packed_count& how, const observed_start& start) {
  const auto pieces = touched_pieces(how, start);
  if (pieces.empty()) return 0;
  std::uint64_t bytes = 0;
  for (const auto& piece : pieces) bytes += length(how, piece);
  auto frame = solid_frame::begin(bytes, touched_level);
  if (!frame) return tl::unexpected(frame.error());
  std::vector<std::byte> read;
  for (const auto& piece : pieces) {
    if (auto on = go_on(how); !on) return tl::unexpected(on.error());
    read.resize(length(how, piece));
    const auto got = how.store.read(how.contents[piece.content], how.geometry.offset(piece.first), read);
    if (!got) return tl::unexpected(got.error());
    if (auto added = frame->add(read); !added) return tl::unexpected(added.error());
  }
  return frame->finish();
}

result<std::uint64_t> packed_sent(const packed_count& how, const observed_start& start,
                                  const content_order& order) {
  const had_contents nothing;
  const auto plan = plan_bundle({how.contents, how.geometry, nothing, order, {}, how.cut});
  const auto segments = segments_until_read(plan, start, how.contents, how.geometry);
  // As a node gets them that has nothing.
  block_sets verified;
  const auto known = [&](std::uint32_t content) -> const block_set* {
    const auto of_content = verified.find(content);
    return of_content == verified.end() ? nullptr : &of_content->second;
  };
  std::uint64_t bytes = 0;
  for (std::uint32_t at = 0; at < segments; ++at) {
    if (auto on = go_on(how); !on) return tl::unexpected(on.error());
    const auto& planned = plan.segments[at];
    const auto built = how.builder.build(at, planned, how.contents, known);
    if (!built) return tl::unexpected(built.error());
    bytes += encode_segment(*built).size();
    for (const auto& run : planned.runs) blocks_of(verified, how, run.content).insert(run.first, run.count);
  }
  return bytes;
}

}  // namespace firstlight
