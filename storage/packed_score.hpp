#pragma once
#include <atomic>

#include "model/order_score.hpp"
#include "storage/segment_builder.hpp"

namespace firstlight {

/// How bytes on the wire are counted. All outlive the call.
struct packed_count {
  content_store& store;
  segment_builder& builder;  ///< packs at its level
  std::span<const content_info> contents;
  block_geometry geometry;
  plan_limits cut;
  const std::atomic<bool>* stop = nullptr;  ///< the call ends with `cancelled`
};

// `order_score` counts unpacked bytes, these packed ones. They take a second for each 2 MB at a high level.

/// The level at which what a start reads is packed to compare with.
inline constexpr int touched_level = 19;

/// The blocks that a start reads alone, in its own order, as one zstd frame (storage/solid_frame.hpp) at
/// `touched_level`: it knows the start beforehand, and cuts nothing. Neither segments nor our builder have a
/// part in it, so that it says what these cost. Errors: those of the store.
[[nodiscard]] result<std::uint64_t> packed_touched(const packed_count& how, const observed_start& start);

/// All segments of an order up to the last block that the start reads, with proofs. Errors: those of the
/// builder.
[[nodiscard]] result<std::uint64_t> packed_sent(const packed_count& how, const observed_start& start,
                                                const content_order& order);

}  // namespace firstlight
