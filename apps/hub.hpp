#pragma once
#include "apps/daemon_service.hpp"
#include "config/hub_options.hpp"

namespace firstlight {

/// Builds the hub and hands it over running. Its destruction stops it in order.
/// Errors: `invalid_argument` for settings, `not_found`/`corrupt` for TLS files, `already_exists` when one
/// runs with this socket, `io`.
[[nodiscard]] result<std::unique_ptr<running_daemon>> start_hub(const hub_options& options);

}  // namespace firstlight
