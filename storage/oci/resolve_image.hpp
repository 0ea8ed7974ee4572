#pragma once
#include <functional>

#include "config/ingest_limits.hpp"
#include "storage/oci/image_source.hpp"
#include "storage/oci/manifest_json.hpp"

namespace firstlight {

/// Reads a small text (index, manifest, configuration); the digest need not be checked.
using text_reader = std::function<result<std::string>(const blob_descriptor& blob, std::uint32_t bytes_max)>;

/// A text together with the descriptor that it was checked against.
struct described_text {
  blob_descriptor blob;
  std::string text;
};

/// Goes from the top text down through indexes to the manifest and configuration for `wanted`, checking each
/// text against its digest. Errors: as `image_source::resolve`.
[[nodiscard]] result<resolved_image> resolve_image(const described_text& top, const platform& wanted,
                                                   const text_reader& read, const ingest_limits& limits);

/// Checks what belongs together: platform, number of layers, sizes.
[[nodiscard]] result<void> check_resolved(const resolved_image& image, const platform& wanted,
                                          const ingest_limits& limits);

/// Reads a text and checks it. Errors: the reader's, `corrupt`, `limit_exceeded`.
[[nodiscard]] result<std::string> read_checked(const blob_descriptor& blob, const text_reader& read,
                                               std::uint32_t bytes_max, const std::string& limit_name);

}  // namespace firstlight
