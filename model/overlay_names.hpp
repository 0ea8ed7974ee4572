#pragma once
#include <string_view>

namespace firstlight {

// Overlayfs keeps its marks in extended attributes `trusted.overlay.X` of the layers below it. An attribute
// of that name in an image is data: it is stored as `trusted.overlay.overlay.X`, which overlayfs takes for no
// mark of its own and, from Linux 6.7 on, shows as `trusted.overlay.X` again.

inline constexpr std::string_view overlay_mark_prefix = "trusted.overlay.";
inline constexpr std::string_view escaped_mark_prefix = "trusted.overlay.overlay.";

/// Whether overlayfs would take an attribute of this name for one of its own.
constexpr bool is_overlay_mark(std::string_view name) {
  return name.starts_with(overlay_mark_prefix);
}

/// Names that are whiteouts in the layers of an image: OCI image specification, layer.md.
inline constexpr std::string_view whiteout_prefix = ".wh.";
inline constexpr std::string_view opaque_whiteout = ".wh..wh..opq";

/// The X of `trusted.overlay.X`; behind `escaped_mark_prefix` it is the escaped name.
/// Precondition: `is_overlay_mark(name)`.
constexpr std::string_view overlay_mark_suffix(std::string_view name) {
  return name.substr(overlay_mark_prefix.size());
}

/// What overlayfs keeps in a read-write layer beside files: Linux, Documentation/filesystems/overlayfs.rst.
/// A whiteout is a character device 0/0.
namespace layer_mark {
inline constexpr const char* opaque = "trusted.overlay.opaque";      ///< "y": a folder that hides the image's
inline constexpr const char* redirect = "trusted.overlay.redirect";  ///< where in the image the rest is
inline constexpr const char* metacopy = "trusted.overlay.metacopy";  ///< the contents are the image's
/// Our own, which overlayfs hides as all of its kind: the number by which the kernel knows this file of mode
/// fuse, and of which image it is one. It is that of the inode which was promoted, or of a file that the
/// image does not have, where its inode on the disk does not tell its number (docs/formats.md).
inline constexpr const char* inode = "trusted.overlay.firstlight.inode";
}  // namespace layer_mark

}  // namespace firstlight
