#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "config/login_options.hpp"
#include "model/registry_login.hpp"
#include "model/result.hpp"

namespace firstlight {

/// Where Docker's logins are looked up.
struct docker_login_source {
  std::filesystem::path config_file;  ///< empty: $DOCKER_CONFIG/config.json or ~/.docker/config.json
  std::uint32_t config_bytes_max = 1U << 20U;
  helper_limits helper;
};

/// Looks a registry up in Docker's config.json as Docker does: its own credential helper (credHelpers), the
/// common one (credsStore), then what is in the file (auths); there an entry for a path of the registry, as
/// in "host/team", comes before one for the host. Nothing if there is no such file or entry. Runs
/// `docker-credential-NAME get`; blocks. Errors: `corrupt` for a malformed file, `denied` or `timed_out` for
/// a helper that fails; never with a secret.
[[nodiscard]] result<std::optional<registry_login>> find_docker_login(const docker_login_source& source,
                                                                      const std::string& registry_host,
                                                                      const std::string& repository = {});

/// User and password from base64 of "user:password". Errors: `corrupt`, without the text.
[[nodiscard]] result<registry_login> login_of_auth(std::string_view auth);

}  // namespace firstlight
