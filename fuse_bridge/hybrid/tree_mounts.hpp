#pragma once
#include <filesystem>
#include <map>
#include <memory>

#include "storage/erofs/erofs_image.hpp"

namespace firstlight {

/// The metadata of one image, mounted as EROFS. Detached when the object goes; an overlayfs that was made
/// above it keeps it.
class tree_mount {
 public:
  explicit tree_mount(std::filesystem::path point) : point_(std::move(point)) {}
  ~tree_mount();
  tree_mount(const tree_mount&) = delete;
  tree_mount& operator=(const tree_mount&) = delete;

  [[nodiscard]] const std::filesystem::path& point() const { return point_; }

 private:
  std::filesystem::path point_;
};

/// The EROFS mounts of a node, one for each image however often it is mounted. One thread.
class tree_mounts {
 public:
  /// `points` holds the mount points; `files` is on a disk's file system: the kernel mounts no image that
  /// lies on tmpfs or overlayfs. Both are made when missing.
  tree_mounts(std::filesystem::path points, std::filesystem::path files, const erofs_limits& limits)
      : points_(std::move(points)), files_(std::move(files)), limits_(limits) {}

  /// The mount of an image with known contents, new or shared. The file behind it has no name any more: it
  /// goes with the last mount. Errors: `unsupported` when this kernel cannot mount it (EROFS of files:
  /// Linux 6.12), those of erofs_image, `io`, `no_space`.
  result<std::shared_ptr<const tree_mount>> get(const std::shared_ptr<const toc_view>& toc, const toc_id& id);

 private:
  result<void> write_and_mount(const erofs_image& image, const std::filesystem::path& file,
                               const std::filesystem::path& point) const;

  std::filesystem::path points_;
  std::filesystem::path files_;
  erofs_limits limits_;
  std::map<toc_id, std::weak_ptr<const tree_mount>> known_;
  std::uint64_t next_ = 0;
};

}  // namespace firstlight
