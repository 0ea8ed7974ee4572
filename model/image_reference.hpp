#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/digest.hpp"

namespace firstlight {

enum class image_transport : std::uint8_t { registry, oci_layout, oci_archive, docker_archive };

/// Where an image comes from, as users type it. A value; `parse_image_reference` makes valid ones only.
struct image_reference {
  image_transport transport = image_transport::registry;
  std::string path;        ///< layouts and archives: the folder or file, as typed
  std::string host;        ///< registries: host[:port]; "docker.io" if none was typed
  std::string repository;  ///< registries: "library/redis"; docker archives: empty
  std::string tag;         ///< may be empty: pinned by digest, or the only image of a layout or archive;
                           ///< of a docker archive the whole repository:tag to look for
  std::optional<digest> pinned;  ///< registries: the manifest's digest
  std::uint32_t layers = 0;      ///< registries: only so many of the image's layers, from the lowest; 0: all

  friend bool operator==(const image_reference&, const image_reference&) = default;

  /// The canonical form, the key in catalogues: "docker.io/library/redis:7", "localhost:5000/a@sha256:...#2",
  /// "oci:/images/redis:latest". Parsing it gives an equal value.
  [[nodiscard]] std::string text() const;
  /// What all its tags and digests have in common: "docker.io/library/redis", "oci:/images/redis".
  [[nodiscard]] std::string repository_text() const;
};

/// Reads `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE[:REF]`, or a registry's
/// `[docker://][host[:port]/]repository[:tag][@digest][#layers]` with Docker's defaults (docker.io, library/,
/// latest). Errors: `invalid_argument`, naming what is wrong and what would be right.
[[nodiscard]] result<image_reference> parse_image_reference(std::string_view text);

}  // namespace firstlight
