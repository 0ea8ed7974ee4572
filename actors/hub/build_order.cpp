#include "actors/hub/build_order.hpp"

namespace firstlight {

build_order order_for(const running_delivery& running, const delivery::outgoing& next) {
  build_order order{next, running.contents, {}};
  for (const auto& run : next.segment.runs)
    if (!order.verified.contains(run.content))
      order.verified.emplace(run.content, running.core.known(run.content));
  return order;
}

result<segment> carry_out(segment_builder& builder, const build_order& order) {
  const auto verified = [&](std::uint32_t content) -> const block_set* {
    const auto known = order.verified.find(content);
    return known == order.verified.end() || known->second.empty() ? nullptr : &known->second;
  };
  return builder.build(order.next.sequence, order.next.segment, *order.contents, verified);
}

}  // namespace firstlight
