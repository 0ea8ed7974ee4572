#pragma once
#include <atomic>
#include <filesystem>

#include "schemas/toc.hpp"

namespace firstlight {

struct commit_layer_request {
  std::filesystem::path shown;  ///< the mount: attributes and contents are taken from it
  std::filesystem::path upper;  ///< its read-write layer in overlayfs' format: says what has changed
  std::filesystem::path file;   ///< must not exist
  const std::atomic<bool>* stop = nullptr;
};

struct committed_layer {
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  digest diff_id;  ///< SHA-256 of the file, which is not compressed
};

/// Writes what has been changed on a mount as a layer of an OCI image (image specification, layer.md): files
/// and folders that are new or changed, whiteouts for what was removed, opaque whiteouts for folders that
/// hide the image's. A folder that was renamed goes in whole. Reads wait for contents that have not arrived.
/// Sockets are left out, as no tar can hold one. What programs change meanwhile may be in it or not, and
/// nothing from outside of the mount. Errors: `busy` when a file became shorter, a folder something else or
/// anything was removed just while it was read, `cancelled`, `io`, and those of `new_file`; then no file is
/// left.
[[nodiscard]] result<committed_layer> commit_layer(const toc_view& toc, const commit_layer_request& request);

}  // namespace firstlight
