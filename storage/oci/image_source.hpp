#pragma once
#include <memory>
#include <string>
#include <vector>

#include "model/image_config.hpp"
#include "storage/byte_source.hpp"

namespace firstlight {

/// A blob as a manifest names it.
struct blob_descriptor {
  std::string media_type;
  digest id;               ///< SHA-256 of the blob as the source has it
  std::uint64_t size = 0;  ///< bytes
  friend bool operator==(const blob_descriptor&, const blob_descriptor&) = default;
};

struct image_manifest {
  blob_descriptor config;
  std::vector<blob_descriptor> layers;  ///< lowest first; as many as the configuration has diff ids
  friend bool operator==(const image_manifest&, const image_manifest&) = default;
};

/// One image for one platform, with its texts checked against their digests.
struct resolved_image {
  digest top_digest;       ///< what the tag points to: the index's digest, or the manifest's if there is none
  digest manifest_digest;  ///< SHA-256 of `manifest_json`
  std::string manifest_json;
  std::string config_json;
  image_manifest manifest;
  image_config config;
};

/// IMAGE SOURCE: where one image comes from (OCI layout, archive, registry). One thread at a time.
class image_source {
 public:
  virtual ~image_source() = default;

  /// What the reference points to now, asked cheaply: to see whether a tag has moved.
  /// Errors: `not_found`, `unavailable`, `denied`, `timed_out`.
  virtual result<digest> current_digest() = 0;

  /// Picks the image for `wanted` and reads its manifest and configuration.
  /// Errors: `not_found` (naming what the source has), `unsupported`, `corrupt`, `limit_exceeded`, `denied`,
  /// `unavailable`, `timed_out`, `io`.
  virtual result<resolved_image> resolve(const platform& wanted) = 0;

  /// Whose word stands behind its blobs: a registry's host; empty: files of this machine.
  [[nodiscard]] virtual std::string origin() const { return {}; }

  /// Whether it would give this blob, asked cheaply. Errors: `unavailable`, `timed_out`, `denied`.
  virtual result<bool> has_blob(const blob_descriptor& /*blob*/) { return true; }

  /// The blob's bytes as the source has them; the caller checks size and digest. Errors come from `read` too.
  virtual result<std::unique_ptr<byte_source>> open_blob(const blob_descriptor& blob) = 0;
};

}  // namespace firstlight
