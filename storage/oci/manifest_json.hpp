#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/oci/image_source.hpp"

namespace firstlight {

/// One line of an index.
struct index_entry {
  blob_descriptor blob;
  std::optional<platform> target;
  std::string reference_name;  ///< "org.opencontainers.image.ref.name": the tag in a layout
};

/// Whether the text is an index (or manifest list) rather than a manifest. Errors: `corrupt`, `unsupported`
/// for Docker's first schema.
[[nodiscard]] result<bool> is_image_index(std::string_view json);

/// Entries whose digest is not SHA-256 are left out. Errors: `corrupt`.
[[nodiscard]] result<std::vector<index_entry>> parse_image_index(std::string_view json);

/// Errors: `corrupt`; `unsupported` for layers that are no tar, encrypted or not in the registry.
[[nodiscard]] result<image_manifest> parse_image_manifest(std::string_view json);

/// A manifest for an image that comes without one; equal inputs give equal text.
[[nodiscard]] std::string make_image_manifest(const image_manifest& manifest);

}  // namespace firstlight
