#pragma once
#include <cstdint>
#include <string_view>

#include "model/result.hpp"

namespace firstlight {

/// How an image becomes a file system (docs/mounting.md).
enum class mount_mode : std::uint8_t {
  automatic,  ///< "auto": the best that this kernel can do
  hybrid,     ///< "hybrid": EROFS for metadata, contents from the node's store, FUSE for what has not arrived
  overlay,    ///< "overlay": kernel overlayfs above one FUSE mount
  fuse,       ///< "fuse": one FUSE mount that can be written to, without overlayfs
};

[[nodiscard]] std::string_view to_string(mount_mode mode);

/// "" is `automatic`. Errors: `invalid_argument`.
[[nodiscard]] result<mount_mode> parse_mount_mode(std::string_view text);

}  // namespace firstlight
