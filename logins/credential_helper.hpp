#pragma once
#include <optional>

#include "config/login_options.hpp"
#include "model/registry_login.hpp"
#include "model/result.hpp"

namespace firstlight {

/// Runs `docker-credential-NAME get` with the server on its standard input. Nothing if it knows none.
/// Errors: `invalid_argument` for a name with a '/', `denied` if it cannot be run or fails, `timed_out`,
/// `corrupt`.
[[nodiscard]] result<std::optional<registry_login>> ask_credential_helper(const std::string& name,
                                                                          const std::string& server,
                                                                          const helper_limits& limits);

}  // namespace firstlight
