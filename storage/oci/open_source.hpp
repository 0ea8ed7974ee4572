#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/ingest_limits.hpp"
#include "model/image_reference.hpp"
#include "model/registry_login.hpp"
#include "storage/oci/image_source.hpp"

namespace firstlight {

/// By which login registries are asked.
enum class login_of : std::uint8_t {
  hub,     ///< as Docker's config says
  caller,  ///< `caller_login` and nothing else: none means without any login
  either,  ///< the caller's if there is one, else as Docker's config says
};

/// How sources are opened, beside the reference.
struct source_options {
  ingest_limits limits;
  registry_limits registry;
  std::vector<std::string>
      plain_http_hosts;  ///< host[:port] that may be spoken to without TLS; loopback is, if no CA is named
  std::filesystem::path docker_config;  ///< Docker's config.json; empty: $DOCKER_CONFIG, then ~/.docker
  std::filesystem::path spool_folder;   ///< for compressed archives; empty: the system's temporary folder
  login_of login = login_of::hub;
  shared_login caller_login{};
};

/// Opens what the reference names; a registry is not asked before the first call.
/// Errors: `not_found`, `io`, `corrupt`, `invalid_argument`.
[[nodiscard]] result<std::unique_ptr<image_source>> open_image_source(const image_reference& reference,
                                                                      source_options options = {});

}  // namespace firstlight
