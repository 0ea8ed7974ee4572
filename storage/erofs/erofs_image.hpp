#pragma once
#include <memory>

#include "config/erofs_limits.hpp"
#include "schemas/toc.hpp"

namespace firstlight {

/// The metadata of one image as an EROFS file system, to stand above data-only layers of an overlayfs: names,
/// attributes and links are all there, files of some size are holes that overlayfs fills from the file
/// `content_name` (storage/content_name.hpp) of the data layers. docs/formats.md says what is where.
///
/// Every attribute is the image's, but for: inode numbers (`shown_number`), attributes that Linux shows on no
/// file (`xattrs_left_out`), and devices 0:0, which overlayfs would hide: they are empty files that a nested
/// overlayfs takes for whiteouts. Sizes of directories and of the whole are those of shown_sizes.hpp.
///
/// Immutable; every member may be called from any thread at once.
class erofs_image {
 public:
  /// Lays the image out. Needs no content id, so it can be done before they have arrived.
  /// Errors: `limit_exceeded`, with the path of a file that has an attribute whose value is longer than 65535
  /// bytes or whose escaped name is longer than 255, or more than 256 KiB of attributes; or for an image
  /// above `image_bytes_max`.
  static result<erofs_image> plan(std::shared_ptr<const toc_view> toc, const toc_id& id,
                                  const erofs_limits& limits = {});

  /// What to write while the TOC's contents are not known.
  enum class unknown_ids : std::uint8_t {
    refused,  ///< nothing
    early,    ///< early names (storage/early_name.hpp), to be overwritten by a second `write`
  };
  /// Writes the whole image into an empty file, from its begin; equal TOCs give equal bytes. Holds a few
  /// hundred KiB. Not synced: an image can be written again. The file lies on a disk's file system: the
  /// kernel mounts none that lies on tmpfs or overlayfs (ENOTBLK). It may be mounted only if what was written
  /// before differs in nothing but early names: that replaces them under the mount, for what is looked up
  /// from then on. Errors: `not_ready`, `no_space`, `io`.
  [[nodiscard]] result<void> write(int file, unknown_ids when = unknown_ids::refused) const;

  [[nodiscard]] std::uint64_t bytes() const;
  /// The st_ino that the kernel shows: it follows from the TOC alone, so it is stable.
  [[nodiscard]] std::uint64_t shown_number(inode_number number) const;
  /// How many attributes are not in the image because Linux shows none such: see `erofs::stored_form`.
  [[nodiscard]] std::uint64_t xattrs_left_out() const;

  erofs_image(erofs_image&&) noexcept;
  erofs_image& operator=(erofs_image&&) noexcept;
  ~erofs_image();

 private:
  struct impl;
  explicit erofs_image(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

}  // namespace firstlight
