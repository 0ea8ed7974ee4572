#pragma once
#include <set>

#include "actors/hub/node_session.hpp"

/// JOINT BUNDLE: all deliveries that run in one session at the same time. Every content comes in one of them,
/// and they take turns by when the starts are expected to read.
namespace firstlight {

using deliveries_by_id = std::map<std::uint64_t, running_delivery>;

[[nodiscard]] lender lender_of(std::uint64_t id, const running_delivery& one);

/// What a delivery that is planned now need not bring: all that those that run bring.
[[nodiscard]] std::vector<lender> lenders_among(const deliveries_by_id& running);

/// In which order a delivery sends: as its own image is read, and what others have borrowed from it as those
/// are read.
[[nodiscard]] content_order joint_order(const deliveries_by_id& running, std::uint64_t id);

/// Which running deliveries bring what this one borrowed.
[[nodiscard]] std::set<std::uint64_t> lenders_of(const deliveries_by_id& running, std::uint64_t id);

/// Which running deliveries have borrowed from this one.
[[nodiscard]] std::set<std::uint64_t> borrowers_of(const deliveries_by_id& running, std::uint64_t id);

/// What is wanted of a delivery, by the delivery that brings it.
[[nodiscard]] std::map<std::uint64_t, std::vector<block_run>> route_wants(const deliveries_by_id& running,
                                                                          std::uint64_t id,
                                                                          std::span<const block_run> runs);

/// All deliveries, those first that have what is needed first; of equal ones the next after `last`.
[[nodiscard]] std::vector<std::uint64_t> serving_order(const deliveries_by_id& running, std::uint64_t last);

}  // namespace firstlight
