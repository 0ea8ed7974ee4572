#pragma once
#include "apps/daemon_service.hpp"
#include "config/node_options.hpp"

namespace firstlight {

/// Builds the node and hands it over running. Its destruction stops it in order.
/// Errors: `invalid_argument` for settings, `not_found`/`corrupt` for TLS files, `already_exists` when one
/// runs with this socket, `io`.
[[nodiscard]] result<std::unique_ptr<running_daemon>> start_node(const node_options& options);

}  // namespace firstlight
