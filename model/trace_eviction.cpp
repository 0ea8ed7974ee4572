#include "model/trace_eviction.hpp"

#include <algorithm>
#include <deque>
#include <tuple>

namespace firstlight {
namespace {

bool is_older(const trace_stamp* a, const trace_stamp* b) {
  return std::tie(a->received, a->started, a->id) < std::tie(b->received, b->started, b->id);
}

struct holder {
  std::deque<const trace_stamp*> traces;  ///< the oldest first
  std::uint64_t bytes = 0;
};
using holders = std::map<std::string_view, holder>;

holders by_node(std::span<const trace_stamp> stamps) {
  holders nodes;
  for (const auto& stamp : stamps) {
    nodes[stamp.node].traces.push_back(&stamp);
    nodes[stamp.node].bytes += stamp.bytes;
  }
  for (auto& [name, node] : nodes) std::sort(node.traces.begin(), node.traces.end(), is_older);
  return nodes;
}

/// The node with the most; of equal ones that with the older trace.
template <class Amount>
holder& greatest(holders& nodes, Amount amount) {
  const auto has_less = [&](const auto& a, const auto& b) {
    if (amount(a.second) != amount(b.second)) return amount(a.second) < amount(b.second);
    return !a.second.traces.empty() && is_older(b.second.traces.front(), a.second.traces.front());
  };
  return std::max_element(nodes.begin(), nodes.end(), has_less)->second;
}

}  // namespace

std::vector<trace_id> evicted_traces(std::span<const trace_stamp> stamps, const trace_room& room) {
  auto nodes = by_node(stamps);
  auto count = stamps.size();
  std::uint64_t bytes = 0;
  for (const auto& stamp : stamps) bytes += stamp.bytes;
  std::vector<trace_id> gone;
  for (; count > 0; --count) {
    auto* from = &greatest(nodes, [](const holder& node) { return node.traces.size(); });
    const bool counted = count > room.count_max || from->traces.size() > room.per_node_max;
    if (!counted && bytes <= room.bytes_max) break;
    if (!counted) from = &greatest(nodes, [](const holder& node) { return node.bytes; });
    const auto& oldest = *from->traces.front();
    gone.push_back(oldest.id);
    bytes -= oldest.bytes;
    from->bytes -= oldest.bytes;
    from->traces.pop_front();
  }
  return gone;
}

}  // namespace firstlight
