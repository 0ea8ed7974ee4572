#pragma once
#include <optional>

#include "model/layer_record.hpp"
#include "model/mount_mode.hpp"
#include "schemas/image_record.hpp"

namespace firstlight {

/// What a node needs to go on with a mount that an earlier process of it has made.
struct mount_record {
  struct writable_part {
    layer_id layer;    ///< in the layer registry
    std::string path;  ///< its folder, absolute
    friend bool operator==(const writable_part&, const writable_part&) = default;
  };
  image_record image;
  std::string target;           ///< absolute path
  std::int64_t mounted_at = 0;  ///< seconds since the epoch
  std::optional<writable_part> writable;
  bool named = false;                     ///< by the user: its writable layer outlives the mount
  mount_mode mode = mount_mode::overlay;  ///< never `automatic`
  bool made_target = false;               ///< the target folder is the node's to remove
  bool for_overlays = false;              ///< others mount overlays above it, which outlive this process
  friend bool operator==(const mount_record&, const mount_record&) = default;
};

[[nodiscard]] std::vector<std::byte> encode_mount_record(const mount_record& record);
/// Errors: `corrupt`.
[[nodiscard]] result<mount_record> decode_mount_record(bytes_view message);

}  // namespace firstlight
