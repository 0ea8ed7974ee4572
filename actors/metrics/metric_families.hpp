#pragma once
#include <string>

#include "schemas/admin.hpp"

/// What a daemon's status says, as metrics. Names and units as Prometheus wants them: docs/metrics.md lists
/// them. Pure.
namespace firstlight {

/// In Prometheus' text format 0.0.4.
[[nodiscard]] std::string metrics_text(const admin_node_status& status);
[[nodiscard]] std::string metrics_text(const admin_hub_status& status);

}  // namespace firstlight
