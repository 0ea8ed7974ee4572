#pragma once
#include <memory>
#include <vector>

#include "model/image_tree.hpp"
#include "model/layer_entry.hpp"

namespace firstlight {

/// Bounds of one merged image.
struct merge_limits {
  std::uint32_t inodes_max = 8'000'000;
  std::uint32_t name_bytes_max = 255;  ///< of one path component, as Linux has it
  std::uint32_t depth_max = 512;       ///< directories above a file
  std::uint32_t symlinks_followed_max = 255;
};

/// Applies layers to an empty root directory, as `umoci unpack` applies them to a folder as root: entries in
/// the order of the tar; whiteouts spare what their own layer made; links in parent paths are followed inside
/// the root; an entry replaces what is there, except a directory, which a directory only changes. Where umoci
/// leaves the time of unpacking (parents that no layer names), times are 0, owner 0:0, permissions 0755.
/// One thread. After an error the merger is of no use.
class overlay_merger {
 public:
  explicit overlay_merger(merge_limits limits = {});
  ~overlay_merger();

  /// The entries that follow belong to the next higher layer.
  void begin_layer();

  /// Errors: `corrupt` where umoci fails as well: a hard link without target or to a directory, a parent that
  /// is a file, the root as anything but a directory, too many links in a path; and for whiteouts of "", "."
  /// or ".."; `limit_exceeded`.
  result<void> apply(const layer_entry& entry);

  /// The merged tree; the merger is empty afterwards.
  [[nodiscard]] image_tree finish();

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace firstlight
