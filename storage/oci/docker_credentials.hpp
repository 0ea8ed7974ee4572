#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "config/ingest_limits.hpp"
#include "model/result.hpp"

namespace firstlight {

/// How to log in to one registry.
struct registry_credentials {
  std::string user;
  std::string secret;
  std::string identity_token;  ///< not empty: a refresh token, used instead of user and secret
  friend bool operator==(const registry_credentials&, const registry_credentials&) = default;
};

/// Looks the registry up in Docker's config.json as Docker does: its own credential helper (credHelpers), the
/// common one (credsStore), then what is in the file (auths). `config_file` empty means
/// $DOCKER_CONFIG/config.json or ~/.docker/config.json. Nothing if there is no such file or entry. Runs
/// `docker-credential-NAME get`. Errors: `corrupt` for a malformed file, `denied` or `timed_out` for a helper
/// that fails.
[[nodiscard]] result<std::optional<registry_credentials>> find_credentials(
    const std::filesystem::path& config_file, const std::string& registry_host,
    const registry_limits& limits);

/// Base64 as in RFC 4648 with padding.
[[nodiscard]] std::string base64_encode(std::string_view text);
/// Errors: `corrupt`.
[[nodiscard]] result<std::string> base64_decode(std::string_view text);

}  // namespace firstlight
