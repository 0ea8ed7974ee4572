#pragma once
#include <optional>

#include "storage/oci/docker_credentials.hpp"

namespace firstlight {

/// Runs `docker-credential-NAME get` with the server on its standard input. Nothing if it knows none.
/// Errors: `invalid_argument` for a name with a '/', `denied` if it cannot be run or fails, `timed_out`,
/// `corrupt`.
[[nodiscard]] result<std::optional<registry_credentials>> ask_credential_helper(
    const std::string& name, const std::string& server, const registry_limits& limits);

}  // namespace firstlight
