#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include "storage/erofs/erofs_plans.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// The metadata of one image, mounted as EROFS. Detached when the object goes; an overlayfs that was made
/// above it keeps it.
class tree_mount {
 public:
  /// Writes the image into a file that has no name afterwards, and mounts it. Errors: those of
  /// tree_mounts::get.
  static result<std::shared_ptr<tree_mount>> make(erofs_image image, std::shared_ptr<const toc_view> toc,
                                                  const std::filesystem::path& file,
                                                  const std::filesystem::path& point);
  ~tree_mount();
  tree_mount(const tree_mount&) = delete;
  tree_mount& operator=(const tree_mount&) = delete;

  [[nodiscard]] const std::filesystem::path& point() const { return point_; }

  /// The contents have become known: early names are replaced by real ones, for all that is looked up from
  /// now on. Any thread. Errors: `no_space`, `io`; then early names stay, which do as well, but through FUSE.
  result<void> learn();

 private:
  tree_mount(erofs_image image, std::shared_ptr<const toc_view> toc)
      : image_(std::move(image)), toc_(std::move(toc)) {}

  std::filesystem::path point_;
  std::mutex mutex_;                  // guards the two below
  std::optional<erofs_image> image_;  // while it has early names
  file_descriptor file_;
  std::shared_ptr<const toc_view> toc_;
};

/// The EROFS mounts of a node, one for each image however often it is mounted. One thread.
class tree_mounts {
 public:
  /// `points` holds the mount points; `files` is on a disk's file system: the kernel mounts no image that
  /// lies on tmpfs or overlayfs. Both are made when missing.
  tree_mounts(std::filesystem::path points, std::filesystem::path files, std::shared_ptr<erofs_plans> plans)
      : points_(std::move(points)), files_(std::move(files)), plans_(std::move(plans)) {}

  /// The mount of an image with known contents, new or shared. The file behind it has no name any more: it
  /// goes with the last mount. Errors: `unsupported` when this kernel cannot mount it (EROFS of files:
  /// Linux 6.12), those of erofs_image, `io`, `no_space`.
  result<std::shared_ptr<tree_mount>> get(const std::shared_ptr<const toc_view>& toc, const toc_id& id);

 private:
  std::filesystem::path points_;
  std::filesystem::path files_;
  std::shared_ptr<erofs_plans> plans_;
  std::map<toc_id, std::weak_ptr<tree_mount>> known_;
  std::uint64_t next_ = 0;
};

}  // namespace firstlight
