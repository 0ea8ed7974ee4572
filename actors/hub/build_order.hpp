#pragma once
#include "actors/hub/node_session.hpp"

namespace firstlight {

/// What a worker needs to build a segment, apart from the delivery that goes on meanwhile.
struct build_order {
  delivery::outgoing next;
  std::shared_ptr<const std::vector<content_info>> contents;
  std::map<std::uint32_t, block_set> verified;  ///< by the node: it knows the tree nodes beside them
};

[[nodiscard]] build_order order_for(const running_delivery& running, const delivery::outgoing& next);

/// Builds it; workers only. Errors: those of `segment_builder::build`.
[[nodiscard]] result<segment> carry_out(segment_builder& builder, const build_order& order);

}  // namespace firstlight
