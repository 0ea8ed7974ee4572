#pragma once
#include "model/order_score.hpp"
#include "storage/segment_builder.hpp"

namespace firstlight {

/// What a start costs on the wire: `order_score` counts unpacked bytes, this packed ones.
struct packed_score {
  std::uint64_t touched_bytes = 0;  ///< the blocks that it reads alone, in its own order, in full segments
  std::uint64_t sent_bytes = 0;     ///< all segments of the order before the last such block, with proofs
};

/// Packs at the level of `builder`, which takes seconds for large starts. Errors: those of the builder.
[[nodiscard]] result<packed_score> score_packed(segment_builder& builder, const observed_start& start,
                                                const content_order& order,
                                                std::span<const content_info> contents,
                                                block_geometry geometry, const plan_limits& cut);

}  // namespace firstlight
