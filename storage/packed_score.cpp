#include "storage/packed_score.hpp"

#include "schemas/segment_codec.hpp"

namespace firstlight {
namespace {

/// A node that has nothing, and gets the segments of a plan one after another.
class receiver {
 public:
  receiver(segment_builder& builder, std::span<const content_info> contents, block_geometry geometry)
      : builder_(builder), contents_(contents), geometry_(geometry) {}

  result<segment> take(const planned_segment& planned) {
    auto built = builder_.build(sequence_++, planned, contents_, [&](std::uint32_t content) {
      const auto known = verified_.find(content);
      return known == verified_.end() ? nullptr : &known->second;
    });
    for (const auto& run : planned.runs)
      verified_.try_emplace(run.content, block_set(geometry_.count(contents_[run.content].size)))
          .first->second.insert(run.first, run.count);
    return built;
  }

 private:
  segment_builder& builder_;
  std::span<const content_info> contents_;
  block_geometry geometry_;
  std::unordered_map<std::uint32_t, block_set> verified_;
  std::uint32_t sequence_ = 0;
};

}  // namespace

result<packed_score> score_packed(segment_builder& builder, const observed_start& start,
                                  const content_order& order, std::span<const content_info> contents,
                                  block_geometry geometry, const plan_limits& cut) {
  packed_score score;
  const had_contents nothing;
  const auto own = oracle_order(start);
  auto full = cut;
  full.first_segment_bytes = full.segment_bytes_max;
  const auto touched = plan_bundle({contents, geometry, nothing, own, {}, full});
  receiver of_touched(builder, contents, geometry);
  for (std::size_t at = 0; at < touched.landmarks.front().after; ++at) {
    const auto built = of_touched.take(touched.segments[at]);
    if (!built) return tl::unexpected(built.error());
    score.touched_bytes += built->frame.bytes.size();
  }
  const auto sent = plan_bundle({contents, geometry, nothing, order, {}, cut});
  const auto until = segments_until_read(sent, start, contents, geometry);
  receiver of_sent(builder, contents, geometry);
  for (std::size_t at = 0; at < until; ++at) {
    const auto built = of_sent.take(sent.segments[at]);
    if (!built) return tl::unexpected(built.error());
    score.sent_bytes += encode_segment(*built).size();
  }
  return score;
}

}  // namespace firstlight
