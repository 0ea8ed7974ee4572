#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/ingest_limits.hpp"
#include "model/image_reference.hpp"
#include "storage/oci/image_source.hpp"

namespace firstlight {

/// How sources are opened, beside the reference.
struct source_options {
  ingest_limits limits;
  registry_limits registry;
  std::vector<std::string>
      plain_http_hosts;  ///< host[:port] that may be spoken to without TLS; loopback is, if no CA is named
  std::filesystem::path docker_config;  ///< Docker's config.json; empty: $DOCKER_CONFIG, then ~/.docker
  std::filesystem::path spool_folder;   ///< for compressed archives; empty: the system's temporary folder
};

/// Opens what the reference names; a registry is not asked before the first call.
/// Errors: `not_found`, `io`, `corrupt`, `invalid_argument`.
[[nodiscard]] result<std::unique_ptr<image_source>> open_image_source(const image_reference& reference,
                                                                      source_options options = {});

}  // namespace firstlight
