#include "storage/packed_score.hpp"

#include "schemas/segment_codec.hpp"

namespace firstlight {
namespace {

/// Builds the first segments of a plan as a node gets them that has nothing, and sums what `bytes_of` says.
template <class BytesOf>
result<std::uint64_t> sum(const packed_count& how, const bundle_plan& plan, std::size_t segments,
                          BytesOf bytes_of) {
  std::unordered_map<std::uint32_t, block_set> verified;
  const auto known = [&](std::uint32_t content) -> const block_set* {
    const auto of_content = verified.find(content);
    return of_content == verified.end() ? nullptr : &of_content->second;
  };
  std::uint64_t bytes = 0;
  for (std::uint32_t at = 0; at < segments; ++at) {
    if (how.stop != nullptr && *how.stop) return fail(errc::cancelled, "the hub ends");
    const auto& planned = plan.segments[at];
    const auto built = how.builder.build(at, planned, how.contents, known);
    if (!built) return tl::unexpected(built.error());
    bytes += bytes_of(*built);
    for (const auto& run : planned.runs)
      verified.try_emplace(run.content, block_set(how.geometry.count(how.contents[run.content].size)))
          .first->second.insert(run.first, run.count);
  }
  return bytes;
}

}  // namespace

result<std::uint64_t> packed_touched(const packed_count& how, const observed_start& start) {
  const had_contents nothing;
  const auto own = oracle_order(start);
  auto full = how.cut;
  full.first_segment_bytes = full.segment_bytes_max;
  const auto plan = plan_bundle({how.contents, how.geometry, nothing, own, {}, full});
  return sum(how, plan, plan.landmarks.front().after,
             [](const segment& built) { return built.frame.bytes.size(); });
}

result<std::uint64_t> packed_sent(const packed_count& how, const observed_start& start,
                                  const content_order& order) {
  const had_contents nothing;
  const auto plan = plan_bundle({how.contents, how.geometry, nothing, order, {}, how.cut});
  return sum(how, plan, segments_until_read(plan, start, how.contents, how.geometry),
             [](const segment& built) { return encode_segment(built).size(); });
}

}  // namespace firstlight
