#pragma once
#include <atomic>

#include "config/plan_limits.hpp"
#include "storage/image_catalogue.hpp"
#include "storage/segment_builder.hpp"

namespace firstlight {

/// What packing densely works with; all outlive the call.
struct dense_packing_tools {
  image_catalogue& catalogue;
  segment_builder& builder;
  plan_limits cut{};  ///< as deliveries are cut
  dense_limits limits{};
  const std::atomic<bool>* stop = nullptr;  ///< the call ends with `cancelled`
};

/// Packs the segments that starts of an image are expected to read, as a node that has nothing gets them in
/// this order, anew and smaller (segment_builder::pack_densely). Computes for seconds. @returns how many it
/// has made smaller. Errors: `not_found` for an unknown image; those of the builder.
[[nodiscard]] result<std::uint32_t> pack_image_densely(const dense_packing_tools& tools, const toc_id& image,
                                                       const stored_order& order);

}  // namespace firstlight
